// Sparse samples with sets of labels: loss and precision by their formulas, training as with the same samples
// stored whole, drawn ones by counting, and the text format of the extreme classification repository.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <set>

#include "models/data/extreme.hpp"
#include "models/error.hpp"
#include "models/mlp.hpp"
#include "models/trainer.hpp"
#include "tests/unit/finite_difference.hpp"
#include "tests/unit/reference.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace isthmus;
using isthmus::testing::TemporaryFolder, isthmus::testing::write;
using nlohmann::json;

namespace sparse_test {
namespace {

json options_with(const json& changes) {
  json options = {{"set", "synthetic"}, {"dimensions", 60},    {"classes", 40},     {"nonzeros", 6},
                  {"samples", 3000},    {"test_samples", 500}, {"difficulty", 0.5}, {"seed", 1}};
  options.update(changes);
  return options;
}

Dataset drawn(const json& changes = json::object()) {
  return make_data_source(options_with(changes))->load();
}

Dataset read(const TemporaryFolder& folder) {
  return make_data_source({{"set", "extreme"}, {"path", folder.string()}})->load();
}

}  // namespace

TEST_CASE("Labels in a set are as likely as each other: loss and gradient", "[loss][sparse]") {
  constexpr Index samples = 4, classes = 9;
  const Matrix logits = normal_matrix(samples, classes, 3) * 2;
  const std::vector<std::vector<int>> of_samples = {{0, 4, 8}, {2}, {1, 3, 5, 7}, {6, 8}};
  const std::vector<std::span<const int>> sets(of_samples.begin(), of_samples.end());
  const Labels labels{std::span(sets)};
  const auto loss = [&](const Numbers& values) {
    double sum = 0;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const auto row = values.begin() + static_cast<std::ptrdiff_t>(i * classes);
      double exponentials = 0;
      for (Index j = 0; j < classes; ++j) exponentials += std::exp(row[j]);
      for (const int label : sets[i])
        sum -= std::log(std::exp(row[label]) / exponentials) / static_cast<double>(sets[i].size());
    }
    return sum / static_cast<double>(samples);
  };
  const Numbers numbers(logits.data(), logits.data() + logits.size());
  CHECK(softmax_cross_entropy({logits.data(), samples, classes}, labels).mean_loss() ==
        Approx(loss(numbers)).epsilon(1e-6));
  Matrix gradient = logits;
  softmax_cross_entropy_gradient({gradient.data(), samples, classes}, labels);
  check_close(gradient, finite_difference(loss, numbers), 1e-6);
}

TEST_CASE("Precision at 1, 3 and 5 counts labels among the largest logits", "[loss][sparse]") {
  constexpr Index samples = 50, classes = 12;
  Matrix logits = normal_matrix(samples, classes, 5);
  logits.row(7).setConstant(1);  // of equal ones the first
  logits.row(8).head(6).setConstant(2);
  Random random = random_stream(1, "sets");
  std::vector<std::vector<int>> of_samples(samples);
  for (auto& set : of_samples) {
    std::vector<int> all(classes);
    std::iota(all.begin(), all.end(), 0);
    shuffle(all, random);
    set.assign(all.begin(), all.begin() + 1 + static_cast<int>(random() % 4));
  }
  of_samples[7] = {4, 5};
  const std::vector<std::span<const int>> sets(of_samples.begin(), of_samples.end());
  const BatchResult result =
      softmax_cross_entropy({logits.data(), samples, classes}, Labels{std::span(sets)});
  std::array<double, 6> hits{};
  for (Index i = 0; i < samples; ++i) {
    std::vector<int> order(classes);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int a, int b) { return logits(i, a) > logits(i, b); });
    const auto& set = of_samples[static_cast<std::size_t>(i)];
    for (std::size_t k = 1; k <= 5; ++k)
      hits[k] += static_cast<double>(
          std::count_if(order.begin(), order.begin() + static_cast<int>(k),
                        [&](int label) { return std::ranges::find(set, label) != set.end(); }));
  }
  CHECK(result.accuracy() == hits[1] / samples);
  CHECK(result.precision_at_3() == hits[3] / (3 * samples));
  CHECK(result.precision_at_5() == hits[5] / (5 * samples));
  const std::vector<int> one_each(samples, 0);
  CHECK_FALSE(softmax_cross_entropy({logits.data(), samples, classes}, one_each).precision_at_3());
  // Fewer classes than places.
  const std::vector<int> both = {0, 1};
  const std::vector<std::span<const int>> all = {both};
  const BatchResult few = softmax_cross_entropy({logits.data(), 1, 2}, Labels{std::span(all)});
  CHECK(few.precision_at_3() == Approx(2.0 / 3));
}

TEST_CASE("Sparse samples of one label train as the same samples stored whole, to the bit", "[sparse]") {
  const Dataset sparse = drawn();
  Dataset whole;
  whole.description = sparse.description;
  whole.description.nonzeros_per_sample.reset();
  const auto fill = [](const SparseSamples& samples, Matrix& inputs) {
    inputs.resize(static_cast<Index>(samples.size()), 60);
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples.write(i, {inputs.row(static_cast<Index>(i)).data(), 60});
  };
  fill(sparse.sparse_train, whole.train_inputs);
  fill(sparse.sparse_test, whole.test_inputs);
  whole.train_labels = sparse.train_labels;
  whole.test_labels = sparse.test_labels;
  const Mlp model(60, {.hidden = {20}, .classes = 40, .nonzeros = 6}, sparse.description.sample_bytes());
  TrainingOptions options;
  options.batch = 32;
  options.learning_rate = 0.5;
  const auto train = [&](const Dataset& data) {
    auto shards = split_samples({}, data.train_labels, 2, 1);
    Trainer trainer(data, BatchStream(shards[0], random_stream(1, "batches")), options, 100);
    trainer.set_model(model);
    copy(model.initial_parameters(random_stream(1, "initial")), trainer.parameters());
    const BatchResult training = trainer.train(60);
    const std::vector<float> parameters(trainer.parameters().begin(), trainer.parameters().end());
    const BatchResult test = evaluate(model, parameters, data, 128);
    return std::tuple(parameters, training.loss_sum, test.loss_sum, test.correct);
  };
  const auto found = train(sparse);
  CHECK(found == train(whole));
  CHECK(std::get<3>(found) > 100);  // of 500: something has been learnt
}

TEST_CASE("Drawn sparse samples are as described", "[data][sparse]") {
  const Dataset data = drawn({{"labels_per_sample", 3}, {"classes", 100}});
  CHECK(data.is_sparse());
  CHECK(data.train_inputs.size() == 0);
  CHECK(data.description.sample_bytes() == 6 * 8 + 3 * 4);
  REQUIRE(data.sparse_train.size() == 3000);
  REQUIRE(data.sparse_test.size() == 500);
  std::vector<int> times(100);
  for (std::size_t i = 0; i < data.sparse_train.size(); ++i) {
    const auto entries = data.sparse_train.entries(i);
    CHECK(entries.size() == 6);
    double squares = 0;
    for (std::size_t j = 0; j < entries.size(); ++j) {
      squares += entries[j].second * entries[j].second;
      if (j > 0) CHECK(entries[j - 1].first < entries[j].first);
      CHECK((entries[j].first >= 0 && entries[j].first < 60));
    }
    CHECK(squares == Approx(1));
    const auto labels = data.sparse_train.labels(i);
    CHECK(labels.size() == 3);
    CHECK(std::set<int>(labels.begin(), labels.end()).size() == 3);
    for (const int label : labels) CHECK(label % 10 == labels[0] % 10);  // ten topics
    CHECK(labels[0] == data.train_labels[i]);
    ++times[static_cast<std::size_t>(labels[0])];
  }
  // The first label goes with 1, 1/2, 1/3, ...
  double sum = 0;
  for (int i = 1; i <= 100; ++i) sum += 1.0 / i;
  for (const int label : {0, 1, 4}) {
    const double expected = 3000 / (sum * (label + 1));
    CHECK(std::abs(times[static_cast<std::size_t>(label)] - expected) < 5 * std::sqrt(expected));
  }
  // The same again, others with another seed, and test samples are no training samples.
  const auto first = [](const SparseSamples& samples) {
    const auto entries = samples.entries(0);
    return std::vector<SparseSamples::Entry>(entries.begin(), entries.end());
  };
  CHECK(first(drawn().sparse_train) == first(drawn().sparse_train));
  CHECK(first(drawn().sparse_train) != first(drawn({{"seed", 2}}).sparse_train));
  CHECK(first(drawn().sparse_train) != first(drawn().sparse_test));
}

TEST_CASE("Features of sparse samples tell labels apart as far as difficulty lets them", "[data][sparse]") {
  // Naive Bayes, counted from the training samples.
  const auto accuracy = [](double difficulty) {
    const Dataset data = drawn({{"difficulty", difficulty}, {"classes", 8}, {"samples", 6000}});
    std::vector<std::vector<double>> counts(8, std::vector<double>(60, 0.1));
    std::vector<double> samples(8, 1);
    for (std::size_t i = 0; i < data.sparse_train.size(); ++i) {
      const auto label = static_cast<std::size_t>(data.train_labels[i]);
      ++samples[label];
      for (const auto& [feature, value] : data.sparse_train.entries(i))
        ++counts[label][static_cast<std::size_t>(feature)];
    }
    int right = 0;
    for (std::size_t i = 0; i < data.sparse_test.size(); ++i) {
      std::vector<double> scores(8);
      for (std::size_t label = 0; label < 8; ++label) {
        scores[label] = std::log(samples[label]);
        for (const auto& [feature, value] : data.sparse_test.entries(i))
          scores[label] += std::log(counts[label][static_cast<std::size_t>(feature)] / samples[label]);
      }
      right += std::ranges::max_element(scores) - scores.begin() == data.test_labels[i];
    }
    return right / 500.0;
  };
  CHECK(accuracy(0) > 0.97);
  CHECK(accuracy(1) < 0.45);  // the most frequent label is 37 % of all
  CHECK(accuracy(0) > accuracy(0.7));
}

TEST_CASE("The extreme classification repository's format is read", "[data][sparse]") {
  const TemporaryFolder folder;
  write(folder / "train.txt", "4 5 3\n2,0 0:1.5 3:-2e-1\n 1:7\n1 4:1\r\n0 2:0.25 1:4 \n");
  write(folder / "test.txt", "1 5 3\n2 0:1");
  const Dataset data = read(folder);
  CHECK(data.description.shape.size() == 5);
  CHECK(data.description.classes == 3);
  CHECK(data.description.train_samples == 3);  // one has no label
  CHECK(data.description.test_samples == 1);
  CHECK(data.description.nonzeros_per_sample == 2);  // 5/3
  CHECK(data.description.labels_per_sample == 1);
  CHECK(data.train_labels == std::vector<int>{0, 1, 0});
  const auto labels = data.sparse_train.labels(0);
  CHECK(std::vector<int>(labels.begin(), labels.end()) == std::vector<int>{0, 2});
  const auto entries = data.sparse_train.entries(2);
  CHECK(std::vector<SparseSamples::Entry>(entries.begin(), entries.end()) ==
        std::vector<SparseSamples::Entry>{{1, 4.0F}, {2, 0.25F}});
  std::vector<float> whole(5);
  data.sparse_train.write(0, whole);
  CHECK(whole == std::vector<float>{1.5F, 0, 0, -0.2F, 0});
  // What is in the files counts, not what was there before.
  CHECK(make_data_source({{"set", "extreme"}, {"path", folder.string()}})->describe().test_samples == 1);
  write(folder / "test.txt", "2 5 3\n2 0:1\n1 1:1\n");
  CHECK(make_data_source({{"set", "extreme"}, {"path", folder.string()}})->describe().test_samples == 2);
}

TEST_CASE("What is wrong in a file of sparse samples is named with its line", "[data][sparse]") {
  const TemporaryFolder folder;
  write(folder / "train.txt", "1 5 3\n2 0:1\n");
  const auto message = [&](const char* text) {
    write(folder / "test.txt", text);
    try {
      read(folder);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing is wrong");
  };
  using Catch::Matchers::Contains;
  for (const auto& [text, words] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "no three numbers"},
           {"1 5\n", "no three numbers"},
           {"1 5 3 4\n", "no three numbers"},
           {"a b c\n", "\"a b c\" where a number belongs"},
           {"1 0 3\n", "no feature"},
           {"-1 5 3\n", "-1"},
           {"1 5 3\n2 0:1\n1 0:1\n", "says that it has 1 samples, and has 2"},
           {"2 5 3\n2 0:1\n", "says that it has 2 samples, and has 1"},
           {"1 5 3\n3 0:1\n", "line 2, has 3 where there are only 3"},
           {"1 5 3\n2 5:1\n", "line 2, has 5 where there are only 5"},
           {"1 5 3\n2 -1:1\n", "line 2, has -1"},
           {"1 5 3\n2 0\n", "a feature without a value"},
           {"1 5 3\n2 0:x\n", "\"x\" where a number belongs"},
           {"1 5 3\n2 0:1x\n", "\"x\" after a value"},
           {"1 5 3\n2 0:nan\n", "no finite number"},
           {"1 5 3\n2 0:1 0:2\n", "a feature twice"},
           {"1 5 3\n 0:1\n", "no sample with a label"},
           {"1 6 3\n2 0:1\n", "differ in their numbers of features or labels"}}) {
    INFO(text);
    CHECK_THAT(message(text), Contains(words) && Contains("/data/path"));
  }
  std::filesystem::remove(folder / "test.txt");
  CHECK_THROWS_WITH(read(folder), Contains("test.txt") && Contains("cannot be read"));
}

}  // namespace sparse_test
