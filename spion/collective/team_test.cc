#include "spion/collective/team.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

RankPlace Place(const std::string& host, const std::string& device) {
  return {.host = host, .device = device, .device_name = ""};
}

TEST(CheckOneKindTest, TakesOneKindOfDevice) {
  EXPECT_TRUE(CheckOneKind({Place("a", "cpu"), Place("b", "cpu")}).ok());
  EXPECT_TRUE(CheckOneKind({Place("a", "cuda:0"), Place("a", "cuda:1")}).ok());
}

TEST(CheckOneKindTest, NamesWhoHasWhat) {
  const absl::Status status =
      CheckOneKind({Place("a", "cuda:0"), Place("b", "cpu"), Place("c", "cuda:1")});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("cpu has rank 1 on b;"),
                    HasSubstr("cuda has rank 0 on a, rank 2 on c."), HasSubstr("--device")));
}

// Answers zeros to whatever it is told, on a port of its own.
class NoStore {
 public:
  NoStore() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, generic, size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    answering_ = std::thread([this] { Answer(); });
  }
  ~NoStore() {
    shutdown(listener_, SHUT_RDWR);
    answering_.join();
    close(listener_);
  }

  int port() const { return port_; }

 private:
  void Answer() const {
    for (int caller = 0; (caller = accept(listener_, nullptr, nullptr)) >= 0; close(caller)) {
      std::array<char, 64> told{};
      while (recv(caller, told.data(), told.size(), 0) > 0) {
        told.fill(0);
        send(caller, told.data(), told.size(), MSG_NOSIGNAL);
      }
    }
  }

  int listener_ = socket(AF_INET, SOCK_STREAM, 0);
  int port_ = 0;
  std::thread answering_;
};

TEST(TeamTest, WhatListensAtTheAddressAndIsNoStoreIsToldInTime) {
  const NoStore server;
  Launch launch;
  launch.rank = 1;
  launch.ranks = 2;
  launch.address = "127.0.0.1";
  launch.port = server.port();
  const absl::Status status = Team::Join(launch, c10::Device(c10::kCPU)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(absl::StrCat("at 127.0.0.1:", server.port(),
                                           ": something else listens there (Ping failed")),
                    ::testing::Not(HasSubstr("\n"))));
}

// A rank without its device would tell the others, for half a minute instead of five.
TEST(TeamTest, RankZeroWhoseAddressIsAnothersIsToldSoAndEnds) {
  Launch launch;
  launch.ranks = 2;
  launch.address = "no-such-host.invalid";
  launch.port = 29500;
  testing::internal::CaptureStderr();
  const absl::Status status = Team::Join(launch, absl::NotFoundError("no GPU")).status();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              MatchesRegex("note: rank 0 of 2, which serves the store, does not reach itself at "
                           "no-such-host.invalid:29500; is that an address of .*\\? It tries until "
                           "..:..:..\n"));
  EXPECT_EQ(status.message(), "no GPU");
}

TEST(TeamTest, OneRankAloneHasTheErrorOfItsDevice) {
  EXPECT_EQ(Team::Join(Launch(), absl::NotFoundError("no GPU")).status().message(), "no GPU");
}

}  // namespace
}  // namespace spion
