#include "spion/base/json.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace spion {
namespace {

using Json = nlohmann::json;

/// Measures a text before a value is made of it. Returns false, which ends the reading, where there
/// is too much of it. (The parser's own callback, which could refuse values, takes time quadratic
/// in the length of a list of objects.)
class Measure : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return AddValue(); }
  bool boolean(bool /*value*/) override { return AddValue(); }
  bool number_integer(number_integer_t /*value*/) override { return AddValue(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return AddValue(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    return AddValue();
  }
  bool string(string_t& /*value*/) override { return AddValue(); }
  bool binary(binary_t& /*value*/) override { return AddValue(); }
  bool key(string_t& /*name*/) override { return true; }
  bool start_object(size_t /*size*/) override { return Open(); }
  bool start_array(size_t /*size*/) override { return Open(); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    error_ = absl::StrCat("not JSON from byte ", position, " on");
    return false;
  }

  /// Empty if nothing is wrong.
  const std::string& error() const { return error_; }

 private:
  bool AddValue() {
    if (depth_ > kDeepestJson) {
      error_ = absl::StrCat("JSON whose lists and objects lie in each other more than ",
                            kDeepestJson, " deep");
    } else if (++values_ > kMostJsonValues) {
      error_ = absl::StrCat("JSON with more than ", kMostJsonValues, " values");
    }
    return error_.empty();
  }
  bool Open() {
    const bool ok = AddValue();
    ++depth_;
    return ok;
  }
  bool Close() {
    --depth_;
    return true;
  }

  int depth_ = 0;
  int64_t values_ = 0;
  std::string error_;
};

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  Measure measure;
  Json::sax_parse(text, &measure);
  if (!measure.error().empty()) return absl::InvalidArgumentError(measure.error());
  return Json::parse(text);
}

}  // namespace spion
