// The classifier and its loss by the device code on the CPU, held against the formulas in double.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/kernels/classifier/api.h"
#include "spion/kernels/classifier/cuda/classifier.cuh"
#include "spion/kernels/classifier/cuda/cross_entropy.cuh"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

using Doubles = std::vector<double>;

std::vector<float> Normals(int64_t count, double deviation, uint64_t seed) {
  Random random(TestSeed(seed));
  std::vector<float> numbers(count);
  for (float& number : numbers) number = static_cast<float>(deviation * random.Normal());
  return numbers;
}

// To bf16, ties to even.
double Rounded(double x) {
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(x));
  return std::bit_cast<float>((bits + 0x7fffU + (bits >> 16 & 1U)) & 0xffff0000U);
}

// a b^T of operands rounded to bf16: [m, k] and [n, k].
Doubles Product(const Doubles& a, const Doubles& b, int64_t k) {
  const auto m = static_cast<int64_t>(a.size()) / k;
  const auto n = static_cast<int64_t>(b.size()) / k;
  Doubles product(m * n);
  for (int64_t i = 0; i < m * n; ++i) {
    for (int64_t e = 0; e < k; ++e) {
      product[i] += Rounded(a[i / n * k + e]) * Rounded(b[i % n * k + e]);
    }
  }
  return product;
}
Doubles Transposed(const Doubles& m, int64_t columns) {
  const auto rows = static_cast<int64_t>(m.size()) / columns;
  Doubles t(m.size());
  for (int64_t i = 0; i < rows * columns; ++i) t[i % columns * rows + i / columns] = m[i];
  return t;
}
Doubles Wide(const std::vector<float>& numbers) { return {numbers.begin(), numbers.end()}; }

// A number between two of bf16 may be rounded either way.
void ExpectClose(const std::vector<float>& results, const Doubles& expected, const char* what) {
  ASSERT_EQ(results.size(), expected.size()) << what;
  double error = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += std::pow(results[i] - expected[i], 2);
    size += std::pow(expected[i], 2);
  }
  EXPECT_LE(std::sqrt(error), 2e-3 * std::sqrt(size)) << what;
}

void Launch(unsigned blocks, int threads, const std::function<void()>& kernel) {
  RunKernel({.grid = {blocks, 1, 1}, .threads = threads, .seed = TestSeed(9)}, kernel);
}

class EmulatedClassifierTest : public testing::TestWithParam<ClassifierSizes> {};
INSTANTIATE_TEST_SUITE_P(Sizes, EmulatedClassifierTest,
                         testing::Values(ClassifierSizes{1, 4, 4, 1},
                                         ClassifierSizes{33, 64, 128, 10},
                                         ClassifierSizes{6, 256, 100, 16}));

TEST_P(EmulatedClassifierTest, IsTheFormulaWithItsGradients) {
  const ClassifierSizes sizes = GetParam();
  const auto [examples, features, hidden, classes] = sizes;
  const auto x = Normals(examples * features, 1, 1);
  const auto weight1 = Normals(hidden * features, 0.2, 2);
  const auto bias1 = Normals(hidden, 0.5, 3);
  const auto weight2 = Normals(classes * hidden, 0.2, 4);
  const auto bias2 = Normals(classes, 1, 5);
  std::vector<BFloat16> active(examples * hidden);
  std::vector<float> logits(examples * classes, std::nanf(""));
  const ClassifierForward forward = {sizes,          x.data(),     weight1.data(), bias1.data(),
                                     weight2.data(), bias2.data(), active.data(),  logits.data()};
  const auto blocks =
      static_cast<unsigned>((examples + kClassifierExamples - 1) / kClassifierExamples);
  Launch(blocks, kClassifierThreads, [&] { ClassifierForwardKernel(forward); });

  Doubles expected_hidden = Product(Wide(x), Wide(weight1), features);
  for (int64_t i = 0; i < examples * hidden; ++i) {
    expected_hidden[i] = std::max(expected_hidden[i] + bias1[i % hidden], 0.0);
  }
  Doubles expected_logits = Product(expected_hidden, Wide(weight2), hidden);
  for (int64_t i = 0; i < examples * classes; ++i) expected_logits[i] += bias2[i % classes];
  ExpectClose(logits, expected_logits, "logits");

  const auto grad = Normals(examples * classes, 1, 6);
  std::vector<BFloat16> grad_hidden(examples * hidden);
  std::vector<float> grad_x(examples * features, std::nanf("")), grad_weight1(hidden * features),
      grad_bias1(hidden), grad_weight2(classes * hidden), grad_bias2(classes);
  const ClassifierBackward backward = {.sizes = sizes,
                                       .grad_logits = grad.data(),
                                       .features = x.data(),
                                       .hidden_weight = weight1.data(),
                                       .class_weight = weight2.data(),
                                       .hidden = active.data(),
                                       .grad_hidden = grad_hidden.data(),
                                       .grad_features = grad_x.data(),
                                       .grad_hidden_weight = grad_weight1.data(),
                                       .grad_hidden_bias = grad_bias1.data(),
                                       .grad_class_weight = grad_weight2.data(),
                                       .grad_class_bias = grad_bias2.data()};
  Launch(blocks, kClassifierThreads, [&] { ClassifierBackwardKernel(backward); });
  Launch(static_cast<unsigned>(hidden + classes), kClassifierSlices * kClassifierColumns,
         [&] { ClassifierWeightsKernel(backward); });

  Doubles of_hidden = Product(Wide(grad), Transposed(Wide(weight2), hidden), classes);
  for (int64_t i = 0; i < examples * hidden; ++i) of_hidden[i] *= expected_hidden[i] > 0 ? 1 : 0;
  ExpectClose(grad_x, Product(of_hidden, Transposed(Wide(weight1), features), hidden), "features");
  const auto sums = [&](const Doubles& grads, int64_t columns) {
    return Product(Transposed(grads, columns), Doubles(examples, 1), examples);
  };
  const Doubles of_hidden_t = Transposed(of_hidden, hidden);
  ExpectClose(grad_weight1, Product(of_hidden_t, Transposed(Wide(x), features), examples), "W1");
  ExpectClose(grad_bias1, sums(of_hidden, hidden), "b1");
  ExpectClose(
      grad_weight2,
      Product(Transposed(Wide(grad), classes), Transposed(expected_hidden, hidden), examples),
      "W2");
  ExpectClose(grad_bias2, sums(Wide(grad), classes), "b2");
}

TEST(EmulatedCrossEntropyTest, IsTheFormulaWithItsGradient) {
  for (const int64_t examples : {1, 32, 300}) {
    for (const int64_t classes : {1, 2, 10, 16}) {
      std::vector<float> logits = Normals(examples * classes, 30, 7);
      std::vector<int64_t> labels(examples);
      for (int64_t e = 0; e < examples; ++e) labels[e] = e * e % classes;
      // Of two that are the largest the first one counts.
      if (classes > 1) logits[0] = logits[1] = 1000;
      float loss = 0;
      float right = 0;
      std::vector<float> grad(logits.size());
      const CrossEntropy call = {examples, classes, logits.data(), labels.data(),
                                 &loss,    &right,  grad.data()};
      Launch(1, kCrossEntropyThreads, [&] { CrossEntropyKernel(call); });

      double expected_loss = 0;
      int64_t expected_right = 0;
      for (int64_t e = 0; e < examples; ++e) {
        const float* row = &logits[e * classes];
        const int64_t largest = std::max_element(row, row + classes) - row;
        double sum = 0;
        for (int64_t c = 0; c < classes; ++c) sum += std::exp(double{row[c]} - row[largest]);
        expected_loss += (std::log(sum) + row[largest] - row[labels[e]]) / examples;
        expected_right += largest == labels[e] ? 1 : 0;
        for (int64_t c = 0; c < classes; ++c) {
          const double probability = std::exp(double{row[c]} - row[largest]) / sum;
          ASSERT_NEAR(grad[e * classes + c], (probability - (c == labels[e] ? 1 : 0)) / examples,
                      1e-6);
        }
      }
      EXPECT_NEAR(loss, expected_loss, 1e-5 * (1 + expected_loss));
      EXPECT_EQ(right, static_cast<float>(expected_right));
    }
  }
}

TEST(ClassifierTest, RefusesWhatItCannotTake) {
  ClassifierForward call = {};
  call.sizes = {8, 66, 128, 10};
  EXPECT_EQ(spion::cuda::Run(call, nullptr).message(),
            "a classifier of 66 features; a GPU takes 1 to 1024, multiples of 4");
  ClassifierBackward backward = {};
  backward.sizes = {8, 64, 132, 10};
  EXPECT_EQ(spion::cuda::Run(backward, nullptr).message(),
            "a classifier of 132 hidden numbers; a GPU takes 1 to 128, multiples of 4");
  CrossEntropy loss = {};
  loss.examples = 8;
  loss.classes = 17;
  EXPECT_EQ(spion::cuda::Run(loss, nullptr).message(),
            "a classifier of 17 classes; a GPU takes 1 to 16");
  loss.examples = 0;
  EXPECT_EQ(spion::cuda::Run(loss, nullptr).message(),
            "a classifier of 0 examples; a GPU takes 1 to 1048576");
}

}  // namespace
}  // namespace spion::cuda
