#include "spion/pattern/pattern_oracle.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "spion/base/random.h"

namespace spion {

std::vector<float> RandomAttentionMap(int64_t side, uint64_t seed) {
  constexpr float kGrid = 0x1p-24f;
  Random random(seed);
  std::vector<float> values(side * side);
  for (float& value : values) value = static_cast<float>(random.Next() >> 46) * kGrid;  // < 2^-6
  for (int stripe = 0; stripe < 4; ++stripe) {
    const float brightness = static_cast<float>(1 + random.Below(1 << 20)) * kGrid;  // <= 2^-4
    const int64_t offset = random.Between(1 - side, side - 1);
    const int64_t bright_column = random.Between(0, side - 1);
    for (int64_t row = 0; row < side; ++row) {
      if (row + offset >= 0 && row + offset < side) {
        values[row * side + row + offset] += brightness;
      }
      values[row * side + bright_column] += brightness;
    }
  }
  return values;
}

std::vector<double> NaiveConvolution(MapView map, int width) {
  const int64_t side = map.side;
  std::vector<double> result(side * side);
  for (int64_t i = 0; i < side; ++i) {
    for (int64_t j = 0; j < side; ++j) {
      double sum = 0.0;
      for (int64_t t = -(width / 2); t <= width / 2; ++t) {
        const bool inside = i + t >= 0 && i + t < side && j + t >= 0 && j + t < side;
        if (inside) sum += map.values[(i + t) * side + j + t];
      }
      result[i * side + j] = sum;
    }
  }
  return result;
}

std::vector<double> NaivePool(const std::vector<double>& map, int64_t side, int64_t block_size) {
  const int64_t n = side / block_size;
  std::vector<double> scores(n * n, 0.0);
  for (int64_t i = 0; i < side; ++i) {
    for (int64_t j = 0; j < side; ++j) {
      scores[i / block_size * n + j / block_size] += map[i * side + j];
    }
  }
  for (double& score : scores) score /= static_cast<double>(block_size * block_size);
  return scores;
}

double NaiveQuantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double rank = q * static_cast<double>(values.size() - 1);
  const double below = values[static_cast<int64_t>(std::floor(rank))];
  const double above = values[static_cast<int64_t>(std::ceil(rank))];
  return below + (above - below) * (rank - std::floor(rank));
}

std::vector<uint8_t> NaiveFloodFill(const std::vector<double>& scores, int64_t n,
                                    double threshold) {
  const int64_t stride = n + 1;
  std::vector<double> padded(stride * stride, 0.0);
  for (int64_t x = 0; x < n; ++x) {
    for (int64_t y = 0; y < n; ++y) padded[x * stride + y] = scores[x * n + y];
  }
  // Every move goes down or right, so row by row each block's way in is known before its way out.
  std::vector<uint8_t> moved_to(stride * stride, 0);
  for (int64_t x = 0; x < n; ++x) {
    for (int64_t y = 0; y < n; ++y) {
      const int64_t here = x * stride + y;
      const bool reached = x == 0 || y == 0 || moved_to[here] != 0;
      if (!reached) continue;
      const double down = padded[here + stride];
      const double right = padded[here + 1];
      const double diagonal = padded[here + stride + 1];
      const bool goes_down = down > right && down > diagonal;
      const bool goes_right = down <= right && right > diagonal;
      moved_to[here + (goes_down ? stride : goes_right ? 1 : stride + 1)] = 1;
    }
  }
  std::vector<uint8_t> marked(n * n, 0);
  for (int64_t x = 0; x < n; ++x) {
    for (int64_t y = 0; y < n; ++y) {
      marked[x * n + y] = moved_to[x * stride + y] != 0 && scores[x * n + y] > threshold;
    }
  }
  return marked;
}

std::vector<uint8_t> NaiveTop(const std::vector<double>& scores, int64_t k) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&scores](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  std::vector<uint8_t> chosen(scores.size(), 0);
  for (int64_t i = 0; i < k; ++i) chosen[order[i]] = 1;
  return chosen;
}

std::vector<uint8_t> NaivePatternMask(MapView map, const GeneratorOptions& options) {
  const int64_t n = map.side / options.block_size;
  const bool convolves = options.kind != PatternKind::kF;
  const std::vector<double> scores = NaivePool(
      NaiveConvolution(map, convolves ? options.filter_width : 1), map.side, options.block_size);
  std::vector<uint8_t> mask;
  if (options.kind == PatternKind::kC) {
    const double squared = static_cast<double>(n * n);
    mask = NaiveTop(scores, static_cast<int64_t>(std::floor(squared * options.density - n)));
  } else {
    mask = NaiveFloodFill(scores, n, NaiveQuantile(scores, options.threshold));
  }
  for (int64_t i = 0; i < n; ++i) mask[i * n + i] = 1;
  return mask;
}

}  // namespace spion
