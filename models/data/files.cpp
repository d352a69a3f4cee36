#include "models/data/files.hpp"

#include <utility>

#include "models/data/array_source.hpp"
#include "models/error.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

constexpr const char* extensions[] = {".npy", ".npz", ".csv", ".idx", ".npy.gz", ".csv.gz", ".idx.gz"};

constexpr const char* advice =
    "; allowed: a folder with train_x, train_y, test_x and test_y, each as .npy, .npz, .csv or .idx (or "
    ".npy.gz, .csv.gz, .idx.gz), or with train.csv and test.csv, a column of which has the labels; or one "
    ".npz file with the arrays train_x, train_y, test_x and test_y. In Python, for example, "
    "numpy.savez(\"data.npz\", train_x=..., train_y=..., test_x=..., test_y=...)";

[[noreturn]] void fail(const std::string& what) { throw InputError("/data/path", what + advice); }

/// The file of this name with one of the extensions; empty if there is none.
fs::path find(const fs::path& folder, const std::string& name) {
  fs::path found;
  std::error_code ignored;
  for (const char* extension : extensions) {
    const fs::path path = folder / (name + extension);
    if (!fs::exists(path, ignored)) continue;
    if (!found.empty()) fail(found.string() + " and " + path.filename().string() + " are both there");
    found = path;
  }
  return found;
}

std::unique_ptr<ArrayFile> open_array(const fs::path& file, const std::string& name) {
  const fs::path plain = file.extension() == ".gz" ? file.stem() : file;
  if (plain.extension() == ".npy") return open_npy(file);
  if (plain.extension() == ".npz") return open_npz(file, name, true);
  return plain.extension() == ".csv" ? open_csv(file, {}) : open_idx(file);
}

DataArrays arrays_in(const fs::path& path, const std::string& label_column) {
  DataArrays arrays;
  std::error_code ignored;
  if (path.extension() == ".npz" && fs::is_regular_file(path, ignored)) {
    const auto open = [&](const char* name) { return [=] { return open_npz(path, name, false); }; };
    arrays.files = {path};
    arrays.train_x = open("train_x");
    arrays.train_y = open("train_y");
    arrays.test_x = open("test_x");
    arrays.test_y = open("test_y");
    return arrays;
  }
  if (!fs::exists(path, ignored)) fail("no folder " + path.string());
  if (!fs::is_directory(path, ignored)) fail(path.string() + " is neither a folder nor a .npz file");
  const auto open_part = [&](const std::string& part, DataArrays::Open& x, DataArrays::Open& y) {
    const fs::path table = find(path, part), x_file = find(path, part + "_x");
    if (!table.empty() && x_file.empty()) {
      if (table.string().find(".csv") == std::string::npos) fail(table.string() + " is no .csv file");
      x = [=] { return open_csv(table, {.label_column = label_column, .label = false}); };
      y = [=] { return open_csv(table, {.label_column = label_column, .label = true}); };
      arrays.files.push_back(table);
      return;
    }
    for (auto& [array, name] :
         {std::pair<DataArrays::Open&, std::string>(x, part + "_x"), {y, part + "_y"}}) {
      const fs::path file = find(path, name);
      if (file.empty()) fail("the folder " + path.string() + " has no " + name);
      array = [file, in_file = name] { return open_array(file, in_file); };
      arrays.files.push_back(file);
    }
  };
  open_part("train", arrays.train_x, arrays.train_y);
  open_part("test", arrays.test_x, arrays.test_y);
  return arrays;
}

}  // namespace

DataSetKind files_kind() {
  return {.kind = {.name = "files",
                   .summary = "your own: train_x, train_y, test_x, test_y as .npy, .npz, .csv or .idx",
                   .options = nlohmann::json::parse(R"({
    "path": {"description": "A folder with train_x, train_y, test_x and test_y (samples x features of any shape, and labels 0, 1, ...), each as .npy, .npz, .csv or .idx, all but .npz gzipped (.gz) or not; or with train.csv and test.csv, a column of which has the labels. Or one .npz with the four arrays.",
             "type": "string", "minLength": 1},
    "label_column": {"description": "Of train.csv and test.csv: the labels' column by its name in the header, or \"first\" or \"last\".",
                     "type": "string", "minLength": 1, "default": "last"},
    "shape": {"description": "Channels, height and width of a sample, for features in other shapes than N x H x W and N x C x H x W.",
              "type": "array", "minItems": 3, "maxItems": 3,
              "items": {"type": "integer", "minimum": 1, "maximum": 100000}, "examples": [[3, 32, 32]]},
    "channels": {"description": "Whether images are channels x height x width or height x width x channels.",
                 "enum": ["first", "last"], "default": "first"},
    "classes": {"description": "Default: the largest label of the training samples and one.", "type": "integer",
                "minimum": 2, "maximum": 100000000}
  })"),
                   .required = {"path"}},
          .make = [](const nlohmann::json& options) {
            ArrayOptions array_options;
            if (options.contains("shape")) {
              const auto shape = options.at("shape").get<std::vector<int>>();
              array_options.shape = SampleShape{.channels = shape[0], .height = shape[1], .width = shape[2]};
            }
            if (options.contains("classes")) array_options.classes = options.at("classes").get<int>();
            array_options.channels_last = options.value("channels", "first") == "last";
            return array_source(
                "files",
                arrays_in(options.at("path").get<std::string>(), options.value("label_column", "last")),
                array_options);
          }};
}

}  // namespace isthmus
