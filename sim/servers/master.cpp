#include "sim/servers/master.hpp"

#include <algorithm>

namespace isthmus {

Master::Master(Worker& server, std::unique_ptr<Optimizer> optimizer)
    : server_(server),
      home_(server.home_of_server(server.rank() - server.size())),
      optimizer_(std::move(optimizer)),
      parameters_memory_(server.reserve(MemoryPart::parameters, home_.size * sizeof(float))) {
  if (optimizer_) {
    const std::size_t states = trained() * static_cast<std::size_t>(optimizer_->states());
    optimizer_memory_ = server.reserve(MemoryPart::optimizer, states * sizeof(float));
  }
  if (server.live()) {
    const auto begin = server.job().initial_parameters().begin() + static_cast<std::ptrdiff_t>(home_.offset);
    storage_.assign(begin, begin + static_cast<std::ptrdiff_t>(home_.size));
  }
  parameters_ = server.live() ? Values(storage_) : Values::phantom(home_.size);
}

std::size_t Master::trained() const {
  const std::size_t all = server_.job().model().layout().trainable_size();
  return std::clamp(all, home_.offset, home_.offset + home_.size) - home_.offset;
}

void Master::step(ConstValues gradient, double learning_rate) {
  const auto values = static_cast<double>(trained());
  const int flops = optimizer_->flops_per_parameter();
  const Work work = {{plain_kernel(KernelKind::optimizer, flops * values, 3 * values), 1}};
  server_.compute(work, [&] {
    optimizer_->step(parameters_.first(trained()), gradient.first(trained()), learning_rate);
    copy(gradient.slice(trained(), size() - trained()), parameters_.slice(trained(), size() - trained()));
  });
}

void Master::subtract(ConstValues change, float factor, float share) {
  compute(2, 3, [&] {
    for (std::size_t i = 0; i < size(); ++i)
      parameters_.data()[i] -= (i < trained() ? factor : share) * change.data()[i];
  });
}

void Master::write_to(Values answer) {
  compute(0, 2, [&] { copy(ConstValues(parameters_), answer); });
}

void Master::compute(double flops_each, double values_each, const std::function<void()>& work) {
  const auto values = static_cast<double>(size());
  server_.compute({{plain_kernel(KernelKind::elementwise, flops_each * values, values_each * values), 1}},
                  work);
}

}  // namespace isthmus
