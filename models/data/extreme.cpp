#include "models/data/extreme.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>

#include "models/error.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

/// One file, read line by line. Errors are InputErrors that name file, line and what is allowed.
class SampleFile {
 public:
  explicit SampleFile(const fs::path& file) : file_(file), in_(file, std::ios::binary) {
    if (!in_) fail("cannot be read");
    std::vector<long> counts;
    if (next_line()) {
      while (counts.size() < 4 && !rest_.empty()) {
        counts.push_back(whole_number(std::numeric_limits<int>::max()));
        skip_spaces();
      }
    }
    if (counts.size() != 3) fail("has no three numbers in its first line: samples, features, labels");
    samples_ = counts[0];
    features_ = static_cast<int>(counts[1]);
    labels_ = static_cast<int>(counts[2]);
    if (features_ < 1 || labels_ < 2) fail("says that there is no feature, or that there are no two labels");
  }

  int features() const { return features_; }
  int labels() const { return labels_; }

  /// The next sample that has a label; false: there are no more, and as many have been read as there should
  /// be.
  bool next(std::vector<SparseSamples::Entry>& entries, std::vector<int>& labels) {
    labels.clear();
    while (labels.empty()) {
      if (!next_line()) {
        if (read_ != samples_)
          fail("says that it has " + std::to_string(samples_) + " samples, and has " + std::to_string(read_));
        return false;
      }
      ++read_;
      read_labels(labels);
      read_entries(entries);
    }
    return true;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    std::string place = file_.string();
    if (line_number_ > 1) place += ", line " + std::to_string(line_number_);
    throw InputError("/data/path", place + ", " + what +
                                       "; allowed: the text format of the extreme classification repository, "
                                       "after a line \"samples features labels\" one \"label,label "
                                       "feature:value feature:value\" for each sample, counted from 0");
  }

  bool next_line() {
    if (!std::getline(in_, line_)) return false;
    ++line_number_;
    rest_ = line_;
    while (!rest_.empty() && (rest_.back() == '\r' || rest_.back() == ' ')) rest_.remove_suffix(1);
    return true;
  }

  void skip_spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }

  bool skip(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  template <typename T>
  T number() {
    T value{};
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) fail("has \"" + std::string(rest_.substr(0, 20)) + "\" where a number belongs");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  long whole_number(long limit) {
    const long value = number<long>();
    if (value < 0 || value >= limit)
      fail("has " + std::to_string(value) + " where there are only " + std::to_string(limit));
    return value;
  }

  /// A line without labels begins with a space, or with its first feature.
  void read_labels(std::vector<int>& labels) {
    const std::string_view first = rest_.substr(0, rest_.find_first_of(" \t"));
    if (first.empty() || first.find(':') != std::string_view::npos) return;
    do labels.push_back(static_cast<int>(whole_number(labels_)));
    while (skip(','));
    std::ranges::sort(labels);
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  }

  void read_entries(std::vector<SparseSamples::Entry>& entries) {
    entries.clear();
    for (skip_spaces(); !rest_.empty(); skip_spaces()) {
      const int feature = static_cast<int>(whole_number(features_));
      if (!skip(':')) fail("has a feature without a value");
      const auto value = number<float>();
      if (!std::isfinite(value)) fail("has a value that is no finite number");
      if (!rest_.empty() && rest_.front() != ' ' && rest_.front() != '\t')
        fail("has \"" + std::string(rest_.substr(0, 20)) + "\" after a value");
      entries.emplace_back(feature, value);
    }
    std::ranges::sort(entries, {}, &SparseSamples::Entry::first);
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (std::ranges::adjacent_find(entries, same) != entries.end()) fail("has a feature twice");
  }

  fs::path file_;
  std::ifstream in_;
  std::string line_;
  std::string_view rest_;  // of the line
  long line_number_ = 0, samples_ = 0, read_ = 0;
  int features_ = 0, labels_ = 0;
};

class ExtremeSource final : public DataSource {
 public:
  explicit ExtremeSource(const fs::path& folder) : train_(folder / "train.txt"), test_(folder / "test.txt") {}

  /// What is described is counted, and so read: once for all runs of a study.
  DataDescription describe() const override {
    using Version = std::tuple<fs::path, std::uintmax_t, fs::file_time_type>;
    const auto version = [](const fs::path& file) {
      std::error_code error;
      return Version(file, fs::file_size(file, error), fs::last_write_time(file, error));
    };
    static std::mutex mutex;
    static std::map<std::pair<Version, Version>, DataDescription> known;
    const std::lock_guard lock(mutex);
    const std::pair versions(version(train_), version(test_));
    if (const auto found = known.find(versions); found != known.end()) return found->second;
    return known.emplace(versions, load().description).first->second;
  }

  Dataset load() const override {
    Dataset dataset;
    SampleFile train(train_), test(test_);
    if (train.features() != test.features() || train.labels() != test.labels())
      throw InputError("/data/path", train_.string() + " and " + test_.filename().string() +
                                         " differ in their numbers of features or labels");
    DataDescription& description = dataset.description;
    description.name = "extreme";
    description.shape = {train.features(), 1, 1};
    description.classes = train.labels();
    const auto read = [](SampleFile& file) {
      SparseSamples samples;
      std::vector<SparseSamples::Entry> entries;
      std::vector<int> labels;
      while (file.next(entries, labels)) samples.add(entries, labels);
      return samples;
    };
    SparseSamples of_training = read(train), of_test = read(test);
    for (const auto& [samples, file] : {std::pair(of_training.size(), train_), {of_test.size(), test_}}) {
      if (samples == 0) throw InputError("/data/path", file.string() + " has no sample with a label");
    }
    description.train_samples = static_cast<long>(of_training.size());
    description.test_samples = static_cast<long>(of_test.size());
    const auto mean = [&](std::size_t sum) {
      return std::max<Index>(1,
                             std::lround(static_cast<double>(sum) / static_cast<double>(of_training.size())));
    };
    description.nonzeros_per_sample = mean(of_training.entries().items());
    description.labels_per_sample = mean(of_training.labels().items());
    dataset.set_sparse(std::move(of_training), std::move(of_test));
    return dataset;
  }

  std::vector<fs::path> files() const override { return {train_, test_}; }

 private:
  fs::path train_, test_;
};

}  // namespace

DataSetKind extreme_kind() {
  return {
      .kind = {.name = "extreme",
               .summary = "your own sparse samples with sets of labels, in the text format of the extreme "
                          "classification repository",
               .options = {{"path",
                            {{"description", "A folder with train.txt and test.txt."}, {"type", "string"}}}},
               .required = {"path"}},
      .make = [](const nlohmann::json& options) -> std::unique_ptr<DataSource> {
        return std::make_unique<ExtremeSource>(options.at("path").get<std::string>());
      }};
}

}  // namespace isthmus
