// How a RankWatch watches (rank_watch.h), for it and its parts.
#ifndef SPION_COLLECTIVE_RANK_WATCH_OPTIONS_H_
#define SPION_COLLECTIVE_RANK_WATCH_OPTIONS_H_

#include <chrono>
#include <functional>
#include <string>

namespace spion {

struct RankWatchOptions {
  std::chrono::milliseconds beat = std::chrono::seconds(1);
  std::chrono::milliseconds patience = std::chrono::seconds(20);
  /// How long to wait for ranks to come before a word is said of it.
  std::chrono::milliseconds quiet = std::chrono::seconds(10);
  /// Where the store is, for messages: "rank 0 of 4", "the launcher"; and its "address:port".
  std::string store_owner = "rank 0";
  std::string store_address = "";
  /// Says a line to the user while this process goes on.
  std::function<void(const std::string& line)> say = nullptr;  // none: to stderr
  /// Ends this process. Called once, from a thread of the watch's or from Fail.
  std::function<void(const std::string& message)> end = nullptr;  // none: says it, then _exit(1)
};

}  // namespace spion

#endif  // SPION_COLLECTIVE_RANK_WATCH_OPTIONS_H_
