// Stands for a driver of NVIDIA's that does not work: as libcuda.so.1 for lra_test.py.

namespace {

constexpr int kUnknown = 999;

}  // namespace

extern "C" {

int cuInit(unsigned) { return kUnknown; }

int cuGetErrorName(int, const char** name) {
  *name = "CUDA_ERROR_UNKNOWN";
  return 0;
}

int cuGetErrorString(int, const char** text) {
  *text = "unknown error";
  return 0;
}

}  // extern "C"
