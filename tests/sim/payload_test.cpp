// Payloads whose size the receiver does not know before they have come.

#include "sim/collectives/collectives.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace payload_test {
namespace {

constexpr std::size_t room = 1000;

std::byte byte_at(std::size_t index) { return static_cast<std::byte>(index * 37 % 251); }

/// Rank 0 sends these sizes, all at once, to rank 1, which has the same room for each.
json send_sizes(const std::vector<std::size_t>& sizes, int flows, bool phantom,
                std::size_t room_bytes = room) {
  json scenario = scenario_with({{"platform", {{"workers", 2}}}, {"training", {{"rounds", 1}}}});
  scenario["network"]["flows"] = flows;
  return run_workers(scenario, [&](Worker& worker) {
    Communicator& comm = worker.communicator();
    std::vector<std::vector<std::byte>> bytes;
    std::vector<Request> requests;
    for (const std::size_t size : sizes) {
      auto& own = bytes.emplace_back(comm.rank() == 0 ? size : room_bytes);
      if (comm.rank() == 0) {
        for (std::size_t i = 0; i < size; ++i) own[i] = byte_at(i);
        requests.push_back(comm.post_send(1, phantom ? ConstPayload::phantom(size) : ConstPayload(own)));
      } else {
        requests.push_back(comm.post_receive(0, phantom ? Payload::phantom(room_bytes) : Payload(own)));
      }
    }
    comm.wait_all(requests);
    json came = json::array();
    for (std::size_t i = 0; comm.rank() == 1 && i < sizes.size(); ++i) {
      came.push_back(requests[i]->received_bytes());
      for (std::size_t at = 0; !phantom && at < requests[i]->received_bytes(); ++at)
        if (bytes[i][at] != byte_at(at)) came.push_back("wrong byte " + std::to_string(at));
    }
    return came;
  });
}

}  // namespace

TEST_CASE("payloads: the receiver learns their sizes, over any number of flows") {
  const std::vector<std::size_t> sizes = {5, 1000, 0, 1, 999, 2, 501};
  for (const int flows : {1, 2, 3, 8}) {
    for (const bool phantom : {false, true}) {
      INFO(flows << " flows" << (phantom ? ", phantoms" : ""));
      const json run = send_sizes(sizes, flows, phantom);
      INFO(run["message"]);
      REQUIRE(run["outcome"] == "completed");
      CHECK(run["returned"][1] == json(sizes));
      CHECK(run["workers"][0]["bytes_sent"] == 2508);
      CHECK(run["workers"][1]["bytes_received"] == 2508);
    }
  }
}

TEST_CASE("payloads: they take the time of what is sent, not of the room for it") {
  const json into_more = send_sizes({400, 400}, 1, false, 100000),
             exact = send_sizes({400, 400}, 1, false, 400);
  CHECK(into_more["seconds"] == exact["seconds"]);
  CHECK(into_more["seconds"] < send_sizes({400, 401}, 1, false)["seconds"]);
}

TEST_CASE("payloads: a longer one than there is room for ends the run") {
  const json run = send_sizes({5, 1001}, 1, false);
  CHECK(run["outcome"] == "failed");
  CHECK(run["message"].get<std::string>().find("longer than the room that its receiver has") !=
        std::string::npos);
}

TEST_CASE("payloads: values of another number than were sent end the run") {
  const json run = run_workers(scenario_with({{"platform", {{"workers", 2}}}}), [](Worker& worker) {
    if (worker.rank() == 0) worker.communicator().send(1, Values::phantom(7));
    if (worker.rank() == 1) worker.communicator().receive(0, Values::phantom(8));
    return json();
  });
  CHECK(run["outcome"] == "failed");
  CHECK(run["message"].get<std::string>().find("another size") != std::string::npos);
}

TEST_CASE("payloads: all-gather and broadcast move them, whatever each rank has") {
  const auto size_of = [](int rank) { return static_cast<std::size_t>(rank * 37 % 50); };  // none of rank 0's
  const auto byte_of = [](int rank, std::size_t i) { return byte_at(i + static_cast<std::size_t>(rank)); };
  for (const int n : {1, 2, 3, 5, 8}) {
    for (const bool phantom : {false, true}) {
      INFO(n << " workers" << (phantom ? ", phantoms" : ""));
      const int root = n - 1;
      const json run = run_workers(scenario_with({{"platform", {{"workers", n}}}}), [&](Worker& worker) {
        Communicator& comm = worker.communicator();
        std::vector<std::vector<std::byte>> bytes(static_cast<std::size_t>(n), std::vector<std::byte>(60));
        std::vector<Payload> rooms;
        for (auto& each : bytes) rooms.push_back(phantom ? Payload::phantom(60) : Payload(each));
        const auto own = static_cast<std::size_t>(comm.rank());
        for (std::size_t i = 0; i < size_of(comm.rank()); ++i) bytes[own][i] = byte_of(comm.rank(), i);
        json came = all_gather(comm, rooms, size_of(comm.rank()));
        for (int rank = 0; !phantom && rank < n; ++rank) {
          for (std::size_t i = 0; i < size_of(rank); ++i) {
            if (bytes[static_cast<std::size_t>(rank)][i] != byte_of(rank, i)) came.push_back("wrong");
          }
        }
        // And one rank's to all, of which nobody else knows how large it is.
        const bool is_root = comm.rank() == root;
        std::vector<std::byte> one(60, std::byte{static_cast<unsigned char>(is_root ? 7 : 0)});
        came.push_back(
            broadcast(comm, phantom ? Payload::phantom(60) : Payload(one), is_root ? 41 : 0, root));
        for (std::size_t i = 0; !phantom && i < 41; ++i) {
          if (one[i] != std::byte{7}) came.push_back("wrong");
        }
        return came;
      });
      INFO(run["message"]);
      REQUIRE(run["outcome"] == "completed");
      json expected = json::array();
      std::size_t sent = 0;
      for (int rank = 0; rank < n; ++rank) {
        expected.push_back(size_of(rank));
        sent += size_of(rank) * static_cast<std::size_t>(n - 1);
      }
      expected.push_back(41);
      for (const json& returned : run["returned"]) CHECK(returned == expected);
      std::size_t counted = 0;
      for (const json& each : run["workers"]) counted += each["bytes_sent"].get<std::size_t>();
      CHECK(counted == sent + 41 * static_cast<std::size_t>(n - 1));
    }
  }
}

}  // namespace payload_test
