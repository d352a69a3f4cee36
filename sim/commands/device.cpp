#include <algorithm>
#include <iostream>
#include <sstream>

#include "analysis/format.hpp"
#include "analysis/text_table.hpp"
#include "models/device/device_model.hpp"
#include "models/device/product_time.hpp"
#include "models/error.hpp"
#include "sim/commands/options.hpp"
#include "sim/commands/scenario_source.hpp"
#include "sim/core/replica.hpp"
#include "sim/platform/device_files.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/study/plan.hpp"

namespace isthmus {
namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;

/// "fp32 peak" of "/precisions/fp32/peak_flops_per_second": a figure's name without what its unit says.
std::string figure_name(const std::string& key) {
  std::string name = key.substr(0, key.find("_flops_per_second"));
  for (const char* unit : {"_bytes_per_second", "_seconds", "_bytes", "_watts"}) {
    if (const auto end = name.rfind(unit);
        end != std::string::npos && end + std::string(unit).size() == name.size())
      name.resize(end);
  }
  for (char& c : name) c = c == '_' ? ' ' : c;
  return name;
}

std::string figure_text(const std::string& key, const ordered_json& value) {
  if (key.ends_with("_flops_per_second")) return format_count(value) + "FLOP/s";
  if (key.ends_with("_bytes_per_second")) return format_bytes(value) + "/s";
  if (key.ends_with("_seconds")) return format_seconds(value);
  if (key.ends_with("_bytes")) return format_memory(value.get<double>());
  if (key.ends_with("_watts")) return value.dump() + " W";
  if (key != "tiles") return value.dump();
  std::string text;
  for (const ordered_json& tile : value)
    text += (text.empty() ? "" : " ") + tile.at(0).dump() + 'x' + tile.at(1).dump();
  return text;
}

void add_figures(const ordered_json& object, const std::string& intro, std::vector<TextRow>& rows) {
  for (const auto& [key, member] : object.items()) {
    if (!member.is_object() || !member.contains("source")) continue;
    rows.push_back({intro + figure_name(key), figure_text(key, member.at("value")),
                    printable(member.at("source").get<std::string>())});
  }
}

void print_profile(const DeviceFile& device) {
  std::cout << device.profile.name << ": " << printable(device.profile.description) << '\n'
            << device.file.string() << "\n\n";
  std::vector<TextRow> rows = {{"figure", "value", "source"}};
  for (const auto& [precision, figures] : device.document.at("precisions").items())
    add_figures(figures, precision + ' ', rows);
  add_figures(device.document, "", rows);
  print_table(rows, std::cout, 3);
}

/// "2048x16x2048"
ProductShape read_product(const std::string& text) {
  constexpr std::int64_t most = 1'000'000'000;
  ProductShape shape;
  std::istringstream words(text);
  char first = 0, second = 0;
  const bool is_read =
      static_cast<bool>(words >> shape.rows >> first >> shape.columns >> second >> shape.depth);
  const auto is_allowed = [](std::int64_t size) { return size >= 1 && size <= most; };
  if (!is_read || first != 'x' || second != 'x' || words.peek() != std::istringstream::traits_type::eof() ||
      !is_allowed(shape.rows) || !is_allowed(shape.columns) || !is_allowed(shape.depth)) {
    throw InputError("--product",
                     found(text) +
                         "; expected ROWSxCOLUMNSxDEPTH, each 1 to 1000000000, such as 2048x16x2048 "
                         "for a 2048 x 2048 matrix times a 2048 x 16 one");
  }
  return shape;
}

std::vector<DevicePrecision> read_precisions(const po::variables_map& given) {
  std::vector<DevicePrecision> precisions;
  for (const std::string& name : given["precision"].as<std::vector<std::string>>()) {
    const auto precision = device_precision_named(name);
    if (!precision) {
      throw InputError("--precision", found(name) + "; " +
                                          did_you_mean(name, {"fp32", "tf32", "bf16", "fp16"}) +
                                          "allowed: fp32, tf32, bf16, fp16");
    }
    precisions.push_back(*precision);
  }
  return precisions;
}

ordered_json predict(const DeviceModel& model, const ProductShape& shape) {
  const Kernel kernel = matrix_product(shape.rows, shape.columns, shape.depth);
  const BoundSeconds seconds = model.seconds(kernel);
  const auto& precision = model.profile().in(model.precision());
  const double rate = seconds.total() > 0 ? kernel.flops / seconds.total() : 0;
  ordered_json result = {{"rows", shape.rows},
                         {"columns", shape.columns},
                         {"depth", shape.depth},
                         {"precision", name_of(model.precision())},
                         {"seconds", seconds.total()},
                         {"launch_seconds", seconds.launch},
                         {"compute_seconds", seconds.compute},
                         {"memory_seconds", seconds.memory},
                         {"bound", bound_names[static_cast<std::size_t>(seconds.bound())]},
                         {"flops", kernel.flops},
                         {"flops_per_second", rate},
                         {"share_of_peak", rate / precision->peak_flops_per_second}};
  if (!precision->tiles.empty()) {
    const ProductPlan plan = plan_product(model.profile(), *precision, kernel);
    result["tile"] = {plan.tile.rows, plan.tile.columns};
    result["splits"] = plan.splits;
  }
  return result;
}

void print_products(const ordered_json& products) {
  std::vector<TextRow> rows = {{"product", "in", "bound", "seconds", "launch", "compute", "memory", "FLOP/s",
                                "of peak", "tile", "splits"}};
  for (const ordered_json& each : products) {
    const auto seconds = [&](const char* part) { return format_seconds(each.at(part)); };
    std::ostringstream share;
    share.precision(3);
    share << 100 * each.at("share_of_peak").get<double>() << " %";
    const bool has_plan = each.contains("tile");
    rows.push_back({each.at("rows").dump() + 'x' + each.at("columns").dump() + 'x' + each.at("depth").dump(),
                    each.at("precision"), each.at("bound"), seconds("seconds"), seconds("launch_seconds"),
                    seconds("compute_seconds"), seconds("memory_seconds"),
                    format_count(each.at("flops_per_second")), share.str(),
                    has_plan ? figure_text("tiles", ordered_json::array({each.at("tile")})) : "",
                    has_plan ? each.at("splits").dump() : ""});
  }
  print_table(rows, std::cout, 3);
}

/// The kernels of a local step, equal ones together, in the order of the first.
ordered_json predict_step(const DeviceModel& model, const std::string& run, const Work& step) {
  ordered_json kernels = ordered_json::array();
  Work distinct;
  for (const KernelCount& each : step) {
    const auto known = std::ranges::find(distinct, each.kernel, &KernelCount::kernel);
    if (known == distinct.end()) {
      distinct.push_back(each);
    } else {
      known->count += each.count;
    }
  }
  for (const auto& [kernel, count] : distinct) {
    const BoundSeconds seconds = model.seconds(kernel);
    ordered_json row = {{"kind", kernel_kind_names[static_cast<std::size_t>(kernel.kind)]},
                        {"count", count},
                        {"flops", kernel.flops},
                        {"bytes", kernel.bytes_in(model.precision())},
                        {"seconds", seconds.total()},
                        {"bound", bound_names[static_cast<std::size_t>(seconds.bound())]}};
    const ProductShape& shape = kernel.product;
    if (shape.rows > 0) row["product"] = {shape.rows, shape.columns, shape.depth};
    kernels.push_back(std::move(row));
  }
  const WorkSeconds all = model.seconds(step);
  return {{"run", run},
          {"precision", name_of(model.precision())},
          {"seconds", all.seconds()},
          {"launch_seconds", all.all.launch},
          {"compute_seconds", all.all.compute},
          {"memory_seconds", all.all.memory},
          {"flops", flops_of(step)},
          {"kernels", std::move(kernels)}};
}

/// Of each network of the scenario that is not like one before it: a step of the whole model.
ordered_json predict_steps(const std::string& scenario, const std::vector<DeviceModel>& models) {
  const ScenarioSource source = read_source(scenario);
  ordered_json steps = ordered_json::array();
  std::vector<Work> known;
  for (const PlannedRun& run : plan_study(source.document, source.folder)) {
    Work step = step_work(*run.job, run.job->model());
    if (std::ranges::find(known, step) != known.end()) continue;
    for (const DeviceModel& model : models) steps.push_back(predict_step(model, run.point.id, step));
    known.push_back(std::move(step));
  }
  return steps;
}

void print_steps(const ordered_json& steps) {
  for (const ordered_json& step : steps) {
    std::cout << "A local step of run " << step.at("run").get<std::string>() << " in "
              << step.at("precision").get<std::string>() << ": " << format_seconds(step.at("seconds"))
              << " (launching " << format_seconds(step.at("launch_seconds")) << ", computing "
              << format_seconds(step.at("compute_seconds")) << ", memory "
              << format_seconds(step.at("memory_seconds")) << "), " << format_count(step.at("flops"))
              << "FLOP\n";
    std::vector<TextRow> rows = {
        {"kernel", "product", "bound", "count", "FLOPs", "bytes", "seconds of each"}};
    for (const ordered_json& each : step.at("kernels")) {
      const bool is_product = each.contains("product");
      const auto size = [&](std::size_t i) { return each.at("product").at(i).dump(); };
      rows.push_back({each.at("kind"), is_product ? size(0) + 'x' + size(1) + 'x' + size(2) : "",
                      each.at("bound"), each.at("count").dump(), format_count(each.at("flops")),
                      format_bytes(each.at("bytes")), format_seconds(each.at("seconds"))});
    }
    print_table(rows, std::cout, 3);
  }
}

}  // namespace

int device_command(const Arguments& arguments) {
  CommandLine line(
      "device NAME [--product ROWSxCOLUMNSxDEPTH ...] [OPTIONS]", "device",
      "Shows what a device is known to do, and where each figure is from; or what single matrix products "
      "take "
      "on it.\nNAME is one of those that `isthmus list` shows, or a file (platforms/devices/README.md).\n\n"
      "Examples:\n"
      "  isthmus device v100-sxm2\n"
      "  isthmus device v100-sxm2 --product 2048x16x2048 512x16x512 --precision fp32 fp16\n"
      "  isthmus device raspberry-pi-5 --product 512x32x784 --eager --json\n"
      "  isthmus device v100-sxm2 --scenario quickstart --eager\n");
  line.options().add_options()(
      "product", po::value<std::vector<std::string>>()->multitoken()->value_name("ROWSxCOLUMNSxDEPTH"),
      "predict the time of products: rows x depth times depth x columns; may be repeated")(
      "precision",
      po::value<std::vector<std::string>>()->multitoken()->value_name("NAME")->default_value({"fp32"},
                                                                                             "fp32"),
      "of these: fp32, tf32, bf16, fp16; may be repeated")(
      "scenario", po::value<std::string>()->value_name("SCENARIO"),
      "predict a local step of each of its networks, kernel by kernel")(
      "eager", "as an eager framework issues them, whose own time is added")("json", "print JSON");
  if (!line.parse(arguments)) return 0;
  const po::variables_map& given = line.values();
  const DeviceFile device = find_device(line.argument());
  std::vector<ProductShape> shapes;
  if (given.count("product") > 0) {
    for (const std::string& text : given["product"].as<std::vector<std::string>>())
      shapes.push_back(read_product(text));
  }
  ordered_json products = ordered_json::array(), steps = ordered_json::array();
  std::vector<DeviceModel> models;
  for (const DevicePrecision precision : read_precisions(given)) {
    const DeviceModel& model =
        models.emplace_back(device.profile, precision, given.count("eager") > 0 ? Issue::eager : Issue::bare);
    for (const ProductShape& shape : shapes) products.push_back(predict(model, shape));
  }
  if (given.count("scenario") > 0) steps = predict_steps(given["scenario"].as<std::string>(), models);
  if (given.count("json") > 0) {
    const ordered_json document = {{"name", device.profile.name},
                                   {"file", device.file.string()},
                                   {"profile", device.document},
                                   {"products", products},
                                   {"steps", steps}};
    std::cout << document.dump(2) << '\n';
  } else if (products.empty() && steps.empty()) {
    print_profile(device);
  } else {
    if (!products.empty()) print_products(products);
    print_steps(steps);
  }
  return 0;
}

}  // namespace isthmus
