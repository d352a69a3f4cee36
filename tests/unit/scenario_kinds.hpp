#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "models/kind.hpp"
#include "sim/scenario/schema.hpp"

namespace isthmus::test {

/// Stand-ins for the protocols, models and data sets of the program, to test scenarios without them.
inline nlohmann::json stand_in_schema() {
  using nlohmann::json;
  const json aggregate = {
      {"enum", {"ring", "ring_chunked", "tree", "server", "sharded", "hierarchical", "auto"}},
      {"default", "ring"}};
  const json chunked = {{"aggregate", {"ring_chunked", "auto"}}};
  const json chunk = {{"$ref", "#/definitions/bytes"}, {"default", "1MiB"}, {"onlyWith", chunked}};
  const json in_flight = {{"type", "integer"}, {"minimum", 1}, {"default", 4}, {"onlyWith", chunked}};
  const json group_size = {
      {"type", "integer"}, {"minimum", 1}, {"onlyWith", {{"aggregate", {"hierarchical", "auto"}}}}};
  json peer_aggregate = aggregate;
  peer_aggregate["onlyWith"] = {{"exchange", {"peer"}}};
  const json local_steps = {{"type", "integer"}, {"minimum", 1}};
  const std::vector<Kind> protocols = {
      {"data_parallel",
       "Gradients are averaged after each step.",
       {{"aggregate", aggregate},
        {"chunk", chunk},
        {"chunks_in_flight", in_flight},
        {"group_size", group_size}}},
      {"local_sgd",
       "Parameters are averaged after some steps.",
       {{"aggregate", aggregate},
        {"local_steps", local_steps},
        {"slow_momentum", {{"type", "number"}, {"minimum", 0}, {"exclusiveMaximum", 1}}},
        {"slow_learning_rate", {{"type", "number"}, {"exclusiveMinimum", 0}}}},
       {"local_steps"}},
      {"post_local_sgd",
       "The one, then the other.",
       {{"local_steps", local_steps},
        {"switch_at", {{"type", "number"}, {"exclusiveMinimum", 0}, {"exclusiveMaximum", 1}}}},
       {"local_steps"}},
      {"ist",
       "Workers train disjoint subnets.",
       {{"local_steps", local_steps},
        {"exchange", {{"enum", {"server", "sharded"}}, {"default", "server"}}},
        {"partition", {{"enum", {"uniform", "stratified"}}}}},
       {"local_steps"}},
      {"resist",
       "Workers train subnets of blocks.",
       {{"exchange", {{"enum", {"peer", "server"}}, {"default", "peer"}}},
        {"aggregate", peer_aggregate},
        {"chunk", chunk}}}};
  const json width = {{"type", "integer"}, {"minimum", 1}};
  const std::vector<Kind> models = {
      {"mlp",
       "Dense layers.",
       {{"hidden", {{"type", "array"}, {"minItems", 1}, {"items", width}, {"examples", {{512, 512}}}}},
        {"bias", {{"type", "boolean"}, {"default", false}}},
        {"batch_norm", {{"enum", {"batch", "running", "none"}}, {"default", "batch"}}}},
       {"hidden"}}};
  const std::vector<Kind> data_sets = {
      {"fashion-mnist", "Clothes.", {{"path", {{"type", "string"}, {"minLength", 1}}}}},
      {"idx", "A folder of IDX files.", {{"path", {{"type", "string"}, {"minLength", 1}}}}, {"path"}},
      {"synthetic",
       "Seeded clusters.",
       {{"dimensions", {{"type", "integer"}, {"minimum", 1}, {"default", 32}}},
        {"bytes_per_sample", {{"$ref", "#/definitions/bytes"}}}}}};
  const json share = {{"type", "number"}, {"minimum", 0}, {"exclusiveMaximum", 1}, {"default", 0}};
  const std::vector<Kind> optimizers = {{"sgd", "Gradient descent.", {{"momentum", share}}},
                                        {"adam", "Adam.", {{"beta1", share}}}};
  return scenario_schema(protocols, models, data_sets, optimizers);
}

}  // namespace isthmus::test
