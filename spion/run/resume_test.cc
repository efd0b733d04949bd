#include "spion/run/resume.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "spion/train/training_state.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;

Json Manifest() {
  return {
      {"command", {"lra", "--seed=1"}},
      {"date", "2026-01-01"},
      {"task", "image"},
      {"method", "cf"},
      {"preset", "quick"},
      {"seed", 1},
      {"hyper_parameters", {{"steps", 30}, {"learning_rate", 1e-3}}},
      {"model", {{"layers", 2}}},
      {"data_source", {{"name", "files"}, {"generated", false}, {"path", "/a"}, {"sha256", "ab"}}},
      {"device", "cuda:0"},
      {"device_name", "one GPU"},
      {"precision", "bfloat16"},
      {"threads", nullptr},
      {"git_commit", "c0ffee"},
      {"torch_version", "2.11.0"}};
}

TEST(RunDifferencesTest, WhatIsTheSameRunAnywhere) {
  Json here = Manifest();
  here["command"] = {"lra", "--seed=1", "--resume"};
  here["date"] = "2026-02-02";
  here["data_source"]["path"] = "/b";
  here["device"] = "cuda:1";
  here["device_name"] = "another GPU";
  here["git_commit"] = "decaf";
  EXPECT_THAT(RunDifferences(Manifest(), here), IsEmpty());
}

TEST(RunDifferencesTest, NamesEachDifference) {
  Json here = Manifest();
  here["seed"] = 2;
  here["hyper_parameters"]["learning_rate"] = 2e-3;
  here["data_source"]["sha256"] = "cd";
  here["device"] = "cpu";
  here["threads"] = 2;
  EXPECT_THAT(
      RunDifferences(Manifest(), here),
      ElementsAre("seed 1 there, 2 here", "hyper_parameters.learning_rate 0.001 there, 0.002 here",
                  "data.sha256 \"ab\" there, \"cd\" here", "device \"cuda\" there, \"cpu\" here",
                  "threads null there, 2 here"));
}

TEST(RunDifferencesTest, AnotherNumberOfRanksIsTheSameRun) {
  Json there = Manifest();
  there["threads"] = 4;
  Json here = there;
  here["threads"] = 1;
  EXPECT_EQ(RunDifferences(there, here).size(), 1);
  here["ranks"] = {{{"host", "a"}}, {{"host", "b"}}};
  EXPECT_THAT(RunDifferences(there, here), IsEmpty());
  EXPECT_THAT(RunDifferences(here, there), IsEmpty());
}

TEST(RunDifferencesTest, SeesWhatOneOfThemLacks) {
  Json here = Manifest();
  here["hyper_parameters"].erase("steps");
  here["model"]["heads"] = 4;
  EXPECT_THAT(
      RunDifferences(Manifest(), here),
      ElementsAre("model.heads null there, 4 here", "hyper_parameters.steps 30 there, null here"));
}

TEST(RunDifferencesTest, ASwitchThatAnEarlierVersionDidNotHaveWasOff) {
  Json here = Manifest();
  here["hyper_parameters"]["shuffled_pattern"] = false;
  EXPECT_THAT(RunDifferences(Manifest(), here), IsEmpty());
  here["hyper_parameters"]["shuffled_pattern"] = true;
  EXPECT_THAT(RunDifferences(Manifest(), here),
              ElementsAre("hyper_parameters.shuffled_pattern null there, true here"));
  Json there = here;
  here["hyper_parameters"]["shuffled_pattern"] = false;
  EXPECT_THAT(RunDifferences(there, here),
              ElementsAre("hyper_parameters.shuffled_pattern true there, false here"));
}

// Given patterns are the same by their sum wherever they lie.
TEST(RunDifferencesTest, TellsGivenPatternsByTheirSum) {
  Json there = Manifest();
  there["patterns"] = {{"path", "/a/patterns.json"}, {"sha256", "12"}};
  Json here = there;
  here["patterns"]["path"] = "/b/mine.json";
  EXPECT_THAT(RunDifferences(there, here), IsEmpty());
  here["patterns"]["sha256"] = "34";
  EXPECT_THAT(RunDifferences(there, here), ElementsAre(R"(patterns "12" there, "34" here)"));
  EXPECT_THAT(RunDifferences(Manifest(), here), ElementsAre(R"(patterns null there, "34" here)"));
  here["patterns"]["sha256"] = "";  // the file is gone
  EXPECT_THAT(RunDifferences(there, here), IsEmpty());
  EXPECT_THAT(RunDifferences(here, there), IsEmpty());
  EXPECT_THAT(RunDifferences(Manifest(), here), ElementsAre(R"(patterns null there, "" here)"));
}

// Generated data have no sum; their description has seed and sizes.
TEST(RunDifferencesTest, TellsGeneratedDataByTheirDescription) {
  Json there = Manifest();
  there["data_source"] = {
      {"generated", true}, {"sha256", ""}, {"description", "shapes, seed 1: 8000 train"}};
  Json here = there;
  EXPECT_THAT(RunDifferences(there, here), IsEmpty());
  here["data_source"]["description"] = "shapes, seed 2: 8000 train";
  EXPECT_EQ(RunDifferences(there, here).size(), 1);
}

TEST(UnusableStateTest, NamesTheFileOnceAndOnlyWhereItIsDamaged) {
  const absl::StatusOr<RunDirectory> run =
      RunDirectory::Create(::testing::TempDir() + "/unusable_state");
  ASSERT_TRUE(run.ok()) << run.status();
  const std::string state = run->path() + "/state.safetensors";
  for (const std::string& why : {state + " is cut", std::string("it has no weights")}) {
    EXPECT_EQ(UnusableState(absl::DataLossError(why), *run).message(),
              (why == state + " is cut" ? why : state + ": " + why) +
                  "; the same command without --resume starts the run anew, and keeps what is "
                  "there");
  }
  ASSERT_TRUE(run->WriteJson("interrupted.safetensors", "a model").ok());
  EXPECT_EQ(UnusableState(absl::DataLossError(state + " is cut"), *run).message(),
            state +
                " is cut; the same command without --resume starts the run anew, and keeps what is "
                "there; the model of when it was stopped, " +
                run->path() + "/interrupted.safetensors, may be whole");
  const absl::Status other = absl::InternalError("the loss is no longer finite");
  EXPECT_EQ(UnusableState(other, *run), other);
}

TEST(BuildDifferencesTest, NamesBothSidesAndTellsOfChanges) {
  Json here = Manifest();
  here["device_name"] = "another";
  EXPECT_THAT(BuildDifferences(Manifest(), here), IsEmpty());
  here["git_dirty"] = true;
  here["torch_version"] = "2.12.0";
  EXPECT_THAT(BuildDifferences(Manifest(), here),
              ElementsAre("the commit \"c0ffee\" there, \"c0ffee with changes\" here",
                          "LibTorch \"2.11.0\" there, \"2.12.0\" here"));
}

TEST(LookAtEarlierRunTest, AStateWithoutItsManifestIsNoRunThatSavedNone) {
  const absl::StatusOr<RunDirectory> run =
      RunDirectory::Create(::testing::TempDir() + "/no_manifest");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE(LookAtEarlierRun(*run, Manifest()).ok());
  ASSERT_TRUE(run->WriteJson("state.safetensors", "a state").ok());
  EXPECT_EQ(LookAtEarlierRun(*run, Manifest()).status().message(),
            run->path() +
                "/manifest.json is missing, though there is a state; bring it back; the "
                "same command without --resume starts the run anew, and keeps what is "
                "there");
}

TEST(LookAtEarlierRunTest, AStateOfNoTrainingIsToldWithItsWayOut) {
  const absl::StatusOr<RunDirectory> run =
      RunDirectory::Create(::testing::TempDir() + "/no_training");
  ASSERT_TRUE(run.ok()) << run.status();
  ASSERT_TRUE(run->WriteJson("manifest.json", Manifest()).ok());
  ASSERT_TRUE(SaveState(run->File("state.safetensors"), TrainingState()).ok());
  EXPECT_THAT(
      std::string(LookAtEarlierRun(*run, Manifest()).status().message()),
      AllOf(StartsWith(run->path() + "/state.safetensors: "),
            EndsWith("; the same command without --resume starts the run anew, and keeps what is "
                     "there")));
}

TEST(LookAtEarlierRunTest, AManifestThatIsNoRunsIsToldWithItsWayOut) {
  const absl::StatusOr<RunDirectory> run =
      RunDirectory::Create(::testing::TempDir() + "/damaged_manifest");
  ASSERT_TRUE(run.ok()) << run.status();
  for (const Json& parts : {Json::array(), Json::object(), Json(3), Json::array({"a part"})}) {
    Json there = Manifest();
    there["resumed"] = parts;
    ASSERT_TRUE(run->WriteJson("manifest.json", there).ok());
    EXPECT_EQ(LookAtEarlierRun(*run, Manifest()).status().message(),
              run->path() +
                  "/manifest.json: \"resumed\" is no list of the run's parts; the same command "
                  "without --resume starts the run anew, and keeps what is there")
        << parts;
  }
  for (const char* key : {"data_source", "model"}) {
    Json there = Manifest();
    there[key] = "damaged";
    ASSERT_TRUE(run->WriteJson("manifest.json", there).ok());
    EXPECT_THAT(std::string(LookAtEarlierRun(*run, Manifest()).status().message()),
                HasSubstr(" holds another run: "))
        << key;
  }
}

TEST(RunDifferencesTest, GivenPatternsThatAreNoObjectAreOthers) {
  Json there = Manifest();
  there["patterns"] = "damaged";
  Json here = Manifest();
  here["patterns"] = {{"path", "/a"}, {"sha256", "12"}};
  EXPECT_THAT(RunDifferences(there, here), ElementsAre(R"(patterns null there, "12" here)"));
}

TEST(LookAtEarlierRunTest, SaysWhatIsNotAsItWasButMayBeSo) {
  const absl::StatusOr<RunDirectory> run =
      RunDirectory::Create(::testing::TempDir() + "/another_commit");
  ASSERT_TRUE(run.ok()) << run.status();
  ASSERT_TRUE(run->WriteJson("manifest.json", Manifest()).ok());
  const auto notes = [&](const Json& here) { return LookAtEarlierRun(*run, here)->notes; };
  EXPECT_THAT(notes(Manifest()), IsEmpty());
  Json here = Manifest();
  here["git_dirty"] = true;
  here["torch_version"] = "2.12.0";
  EXPECT_THAT(notes(here),
              ElementsAre("note: the commit was \"c0ffee\", now \"c0ffee with changes\"",
                          "note: LibTorch was \"2.11.0\", now \"2.12.0\""));
}

}  // namespace
}  // namespace spion
