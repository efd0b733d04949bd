#include "spion/profiling/trace.h"

#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace spion {
namespace {

using ::testing::HasSubstr;

std::string InTestFolder(const std::string& name) { return ::testing::TempDir() + "/" + name; }

// The complete events of the file, by name.
std::multimap<std::string, nlohmann::json> Events(const std::string& path) {
  std::ifstream file(path);
  const nlohmann::json trace = nlohmann::json::parse(file);
  std::multimap<std::string, nlohmann::json> events;
  for (const auto& event : trace.at("traceEvents")) {
    if (event.value("ph", "") == "X") events.emplace(event.at("name"), event);
  }
  return events;
}

TEST(TraceTest, HasOperatorsAndRangesInsideTheWindowOnly) {
  const std::string path = InTestFolder("made/by/it/window.json");
  std::unique_ptr<Trace> trace =
      Trace::Create({.path = path, .first_step = 2, .last_step = 3}).value();
  for (int64_t step = 1; step <= 4; ++step) {
    if (trace->StartsAt(step)) trace->Start();
    EXPECT_EQ(trace->is_running(), step == 2 || step == 3);
    {
      ProfileRange range(Region::kDenseStep, {.layer = static_cast<int>(step)});
      ProfileRange inner(Region::kAttentionForward, {.layer = 0, .kept_blocks = step});
      at::mm(at::ones({8, 8}), at::ones({8, 8}));
    }
    if (trace->EndsAt(step)) {
      ASSERT_TRUE(trace->Write().ok());
    }
  }
  const auto events = Events(path);
  EXPECT_EQ(events.count("spion:dense_step layer 1"), 0u);
  EXPECT_EQ(events.count("spion:dense_step layer 4"), 0u);
  EXPECT_EQ(events.count("aten::mm"), 2u);
  ASSERT_EQ(events.count("spion:dense_step layer 3"), 1u);
  ASSERT_EQ(events.count("spion:attention_forward layer 0, 2 blocks"), 1u);
  const auto& outer = events.find("spion:dense_step layer 2")->second;
  const auto& inner = events.find("spion:attention_forward layer 0, 2 blocks")->second;
  EXPECT_EQ(outer.at("cat"), "user_annotation");
  EXPECT_LE(outer.at("ts").get<double>(), inner.at("ts").get<double>());
  EXPECT_GE(outer.at("ts").get<double>() + outer.at("dur").get<double>(),
            inner.at("ts").get<double>() + inner.at("dur").get<double>());
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(TraceTest, LeavesNothingBehindIfItIsNotWritten) {
  const std::string path = InTestFolder("dropped.json");
  {
    std::unique_ptr<Trace> trace = Trace::Create({.path = path}).value();
    trace->Start();
    ProfileRange range(Region::kData);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(TraceTest, WhatIsNotWrittenWholeIsAnErrorAndLeavesNothing) {
  const std::string path = InTestFolder("cut.json");
  std::unique_ptr<Trace> trace = Trace::Create({.path = path}).value();
  std::filesystem::create_symlink("/dev/full", path + ".partial.tmp");
  trace->Start();
  { ProfileRange range(Region::kData); }
  EXPECT_THAT(std::string(trace->Write().message()), HasSubstr("did not write " + path));
  EXPECT_FALSE(trace->is_running());
  for (const char* suffix : {"", ".partial", ".partial.tmp"}) {
    EXPECT_FALSE(std::filesystem::is_symlink(path + suffix)) << suffix;
    EXPECT_FALSE(std::filesystem::exists(path + suffix)) << suffix;
  }
}

TEST(TraceTest, APathThatCannotBeWrittenIsAnErrorAtOnce) {
  EXPECT_THAT(std::string(Trace::Create({.path = "/dev/null/folder/x"}).status().message()),
              HasSubstr("cannot make the trace's folder /dev/null/folder"));
  EXPECT_THAT(
      std::string(Trace::Create({.path = ::testing::TempDir() + "/caf\xE9"}).status().message()),
      HasSubstr("/caf%E9: LibTorch puts its path into it, which must be UTF-8"));
  EXPECT_THAT(std::string(Trace::Create({.path = "/dev/null"}).status().message()),
              HasSubstr("cannot write /dev/null: it is a device"));
  EXPECT_THAT(std::string(Trace::Create({.path = ::testing::TempDir()}).status().message()),
              HasSubstr("is a folder"));
}

}  // namespace
}  // namespace spion
