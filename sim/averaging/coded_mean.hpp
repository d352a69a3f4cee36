#pragma once

#include "models/codec/codec.hpp"
#include "models/codec/feedback.hpp"
#include "sim/averaging/averaging.hpp"

namespace isthmus {

/// The mean of what a codec leaves of each worker's values. Payloads that can be added go by any all-reduce.
/// Others are carried whole: all of them to all workers, around a ring (`ring`), or to owners, who decode and
/// add what they get and encode the mean anew (`server`: rank 0 of everything; `sharded`: each of 1/n).
/// Owners have a residual of their own if workers have feedback.
struct CodedMeanOptions {
  std::shared_ptr<const Codec> codec;
  std::shared_ptr<const Codec> answer_codec;  ///< of what owners send
  std::unique_ptr<Feedback> feedback;         ///< null: none
};
std::unique_ptr<Averaging> make_coded_mean(const AveragingRequest& request, CodedMeanOptions options);

/// What `request.compression` says.
std::unique_ptr<Averaging> make_coded_mean(const AveragingRequest& request);

}  // namespace isthmus
