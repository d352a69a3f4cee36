#include "sim/servers/desk.hpp"

#include <algorithm>

namespace isthmus {
namespace {

/// What a worker sends who is told by one server that training is over, to those who do not know yet. No
/// value takes one byte only.
std::byte goodbye{};
constexpr std::size_t goodbye_bytes = 1;

}  // namespace

Desk::Desk(Worker& server, int places, std::size_t size)
    : server_(server),
      comm_(server.communicator()),
      to_come_(server.size()),
      answered_(static_cast<std::size_t>(server.size())) {
  for (int place = 0; place < places; ++place) places_.push_back({comm_.buffer(size)});
  requests_.resize(places_.size());
  for (std::size_t place = 0; place < places_.size(); ++place) receive_in(place);
}

/// Never more than will come: nobody is left to wait for.
void Desk::receive_in(std::size_t place) {
  places_[place].note_sent.clear();  // it has been, as it went ahead of an answer
  places_[place].receives = to_come_ > 0;
  if (to_come_ == 0) return;
  --to_come_;
  requests_[place] = comm_.start_from_inbox(places_[place].room);
}

/// Waits for something to come to its end in some place. False if it came to nothing: who was to be answered,
/// or was bringing something, is lost. In any case somebody will come again.
bool Desk::one_more(std::size_t& place, Request& request) {
  try {
    place = comm_.wait_any(requests_);
    request = std::move(requests_[place]);
    return true;
  } catch (const PeerLost& lost) {
    place = lost.request;
    requests_[place] = nullptr;
    if (places_[place].receives) ++to_come_;
    return false;
  }
}

Desk::Visit Desk::next(const Welcome& welcome) {
  while (true) {
    std::size_t place = 0;
    Request request;
    const bool came_or_went = one_more(place, request);
    if (!came_or_went || !places_[place].receives || request->received_bytes() == goodbye_bytes) {
      receive_in(place);
      continue;
    }
    const Values room = places_[place].room;
    const std::size_t brought = comm_.received_values(*request);
    const int worker = request->source();
    const Visit visit = {place,
                         worker,
                         brought > 0 ? room.first(brought) : room,
                         room,
                         request->losses_of_source(),
                         updates_ - answered_[static_cast<std::size_t>(worker)]};
    if (brought > 0) server_.note_arrival(worker);
    if (!is_there(visit)) {
      ++to_come_;  // again
      receive_in(place);
    } else if (brought > 0) {
      return visit;
    } else {
      welcome(visit);
    }
  }
}

Desk::Visit Desk::instead(const Visit& visit, int worker) const {
  return {visit.place, worker, visit.room, visit.room,
          worker == visit.worker ? visit.losses : comm_.losses(worker)};
}

void Desk::let_wait(const Visit& visit) {
  if (visit.losses > 0) ++to_come_;  // its coming back was not counted on
  receive_in(visit.place);
}

void Desk::answer(const Visit& visit, std::optional<double> note) {
  Place& place = places_[visit.place];
  answered_[static_cast<std::size_t>(visit.worker)] = updates_;
  ++to_come_;
  if (!is_there(visit)) return receive_in(visit.place);
  place.receives = false;
  if (note) {
    place.note = *note;
    place.note_sent.push_back(comm_.post_send(visit.worker, as_payload(place.note)));
  }
  requests_[visit.place] = comm_.start_send(visit.worker, visit.values);
  if (is_there(visit)) return;
  requests_[visit.place] = nullptr;  // a part of it may be lost: no message goes alone
  receive_in(visit.place);
}

void Desk::dismiss(const Visit& visit) {
  places_[visit.place].receives = false;
  requests_[visit.place] = comm_.start_send(visit.worker, {});
}

void Desk::close() {
  while (std::ranges::any_of(requests_, [](const Request& request) { return request != nullptr; })) {
    std::size_t place = 0;
    Request request;
    const bool came = one_more(place, request) && places_[place].receives;
    if (came && request->received_bytes() != goodbye_bytes) {
      dismiss({place, request->source(), {}, {}, 0});
    } else {
      receive_in(place);
    }
  }
}

/// Of nothing: a message without bytes.
std::vector<Request> ServerLink::post(ConstValues brought) {
  std::vector<Request> outgoing;
  for (int server = 0; server < worker_.servers(); ++server) {
    const Extent home = worker_.home_of_server(server);
    const ConstValues slice = brought.size() > 0 ? brought.slice(home.offset, home.size) : ConstValues();
    outgoing.push_back(worker_.communicator().start_to_inbox(worker_.size() + server, slice));
  }
  if (brought.size() > 0) worker_.note_departure();
  worker_.communicator().count_synchronised(brought.size());
  return outgoing;
}

bool ServerLink::exchange(ConstValues brought, Values answers) {
  Communicator& comm = worker_.communicator();
  std::vector<Request> incoming;
  for (int server = 0; server < worker_.servers(); ++server) {
    const Extent home = worker_.home_of_server(server);
    incoming.push_back(comm.start_receive(worker_.size() + server, answers.slice(home.offset, home.size)));
  }
  std::vector<Request> outgoing = post(brought);
  comm.wait_all(outgoing);
  comm.wait_all(incoming);
  const auto goes_on = [](const Request& answer) { return answer->received_bytes() > 0; };
  if (std::ranges::all_of(incoming, goes_on)) return true;
  // Servers count for themselves: some may not know yet that training is over.
  std::vector<Request> goodbyes;
  for (int server = 0; server < worker_.servers(); ++server) {
    if (goes_on(incoming[static_cast<std::size_t>(server)]))
      goodbyes.push_back(comm.post_to_inbox(worker_.size() + server, Payload(&goodbye, goodbye_bytes)));
  }
  comm.wait_all(goodbyes);
  return false;
}

void ServerLink::bring(ConstValues brought) {
  std::vector<Request> outgoing = post(brought);
  worker_.communicator().wait_all(outgoing);
}

std::vector<RankPair> pairs_with_servers(int workers, int servers) {
  std::vector<RankPair> pairs;
  for (int server = workers; server < workers + servers; ++server) {
    for (int worker = 0; worker < workers; ++worker) {
      pairs.emplace_back(worker, server);
      pairs.emplace_back(server, worker);
    }
  }
  return pairs;
}

}  // namespace isthmus
