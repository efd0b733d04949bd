#include "experiments/failure_text.h"

#include <c10/util/Exception.h>

#include <new>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace spion {
namespace {

// LibTorch's CPU allocator has no type of its own for it.
constexpr char kCpuAllocator[] = "DefaultCPUAllocator";

std::string OutOfMemory(absl::string_view what) {
  return absl::StrCat("there is not enough memory: a smaller --batch_size takes less (", what, ")");
}

}  // namespace

std::string FailureText(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::bad_alloc& error) {
    return OutOfMemory(error.what());
  } catch (const c10::OutOfMemoryError& error) {
    return OutOfMemory(error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    return absl::StrContains(what, kCpuAllocator) ? OutOfMemory(what) : what;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of an unknown kind";
  }
}

}  // namespace spion
