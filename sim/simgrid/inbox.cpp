#include "sim/simgrid/inbox.hpp"

namespace isthmus {

std::shared_ptr<Meeting> Inbox::next(bool to_be_sent, std::size_t flows) {
  if (!half_posted_.empty() && half_posted_.front()->cargos.front()->from.has_value() != to_be_sent) {
    std::shared_ptr<Meeting> meeting = std::move(half_posted_.front());
    half_posted_.pop_front();
    return meeting;
  }
  if (free_places_->empty()) free_places_->push_back(name_ + std::to_string(names_++));
  auto meeting = std::make_shared<Meeting>(std::move(free_places_->front()), free_places_);
  free_places_->pop_front();
  for (std::size_t flow = 0; flow < flows; ++flow) meeting->cargos.push_back(std::make_shared<Cargo>());
  half_posted_.push_back(meeting);
  return meeting;
}

std::shared_ptr<Meeting> Inbox::post_send(int from, long losses,
                                          const std::vector<std::pair<ConstPayload, std::size_t>>& slices) {
  std::shared_ptr<Meeting> meeting = next(true, slices.size());
  meeting->from = from;
  meeting->losses = losses;
  for (std::size_t flow = 0; flow < slices.size(); ++flow) {
    meeting->cargos[flow]->from = slices[flow].first;
    meeting->cargos[flow]->offset = slices[flow].second;
  }
  return meeting;
}

std::shared_ptr<Meeting> Inbox::post_receive(Payload to, std::size_t flows) {
  std::shared_ptr<Meeting> meeting = next(false, flows);
  for (const auto& cargo : meeting->cargos) cargo->to = to;
  return meeting;
}

}  // namespace isthmus
