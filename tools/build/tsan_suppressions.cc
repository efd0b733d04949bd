// What ThreadSanitizer is not to report; linked into every program under --config=tsan.
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  // LibTorch is not built with it, so the atomics that order what its ranks do are not seen.
  return "race:c10d::\n";
}
