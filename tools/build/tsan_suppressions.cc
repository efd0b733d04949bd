// What ThreadSanitizer is not to report; linked into every program under --config=tsan.
extern "C" const char* __tsan_default_suppressions();

// LibTorch and OpenMP are not built with it: how they order what their threads do, atomics and
// barriers, is not seen. The vectors are inputs of an exchange, which Gloo's thread frees.
extern "C" const char* __tsan_default_suppressions() {
  return "race:c10d::\n"
         "race:dnnl::\n"
         "race:c10::intrusive_ptr<c10::StorageImpl\n"
         "race:std::vector<std::vector<at::Tensor\n";
}
