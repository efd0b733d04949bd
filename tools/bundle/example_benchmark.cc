// Stands in for a benchmark: needs a shared library that the bundle must carry, and says its flags.
#include <benchmark/benchmark.h>

#include <cstdio>

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) std::printf("flag %s\n", argv[i]);
  return 0;
}
