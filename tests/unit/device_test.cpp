// Seconds that devices are said to take, against those that others measured.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "models/device/device_model.hpp"
#include "models/error.hpp"
#include "sim/platform/device_files.hpp"
#include "tests/unit/resnet50_work.hpp"

using namespace isthmus;
using Catch::Matchers::Contains, Catch::Matchers::StartsWith;
using isthmus::test::resnet50_work, isthmus::test::Resnet50Run;
using nlohmann::json;

namespace device_test {
namespace {

const DeviceProfile& device(const std::string& name) {
  static std::map<std::string, DeviceProfile> known;
  const auto [found, is_new] = known.try_emplace(name);
  if (is_new) {
    const std::string file = ISTHMUS_SOURCE_DIR "/platforms/devices/" + name + ".json";
    std::ifstream stream(file);
    found->second = parse_device(std::string(std::istreambuf_iterator<char>(stream), {}), file).profile;
  }
  return found->second;
}

struct MeasuredProduct {
  std::string device;
  DevicePrecision precision;
  Kernel kernel;
  double seconds;
};

std::vector<MeasuredProduct> measured_products() {
  std::ifstream file(ISTHMUS_SOURCE_DIR "/tests/unit/deepbench_products.csv");
  std::vector<MeasuredProduct> products;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#') || line.starts_with("device")) continue;
    std::ranges::replace(line, ',', ' ');
    std::istringstream cells(line);
    std::string name, precision;
    std::int64_t rows = 0, columns = 0, depth = 0;
    double tflops = 0;
    REQUIRE(cells >> name >> precision >> rows >> columns >> depth >> tflops);
    const Kernel kernel = matrix_product(rows, columns, depth);
    products.push_back(
        {name, device_precision_named(precision).value(), kernel, kernel.flops / (tflops * 1e12)});
  }
  return products;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double images_per_second(const std::string& name, DevicePrecision precision, const Resnet50Run& run) {
  const DeviceModel model(device(name), precision, Issue::eager);
  return static_cast<double>(run.batch) / model.seconds(resnet50_work(run)).seconds();
}

/// Kernels of all kinds and sizes.
Work assorted_work() {
  Work work;
  add(work, matrix_product(2048, 16, 2048), 3);
  add(work, matrix_product(700, 1000, 333));
  add(work, plain_kernel(KernelKind::elementwise, 1e5, 3e5), 20);
  add(work, plain_kernel(KernelKind::normalisation, 7e8, 5e8, 1e6));
  add(work, convolution_forward({8, 64, 128, 28, 28, 3, 2}), 2);
  add(work, convolution_input_gradient({8, 64, 64, 28, 28, 3, 1}));
  add(work, plain_kernel(KernelKind::optimizer, 1e3, 0, 12e3), 7);
  return work;
}

DeviceProfile with_peaks_times(DeviceProfile profile, double factor) {
  for (auto& precision : profile.precisions)
    if (precision) precision->peak_flops_per_second *= factor;
  return profile;
}

DeviceProfile with_bandwidth_times(DeviceProfile profile, double factor) {
  profile.memory_bandwidth_bytes_per_second *= factor;
  return profile;
}

DeviceProfile with_kernel_seconds_times(DeviceProfile profile, double factor) {
  profile.kernel_seconds *= factor;
  return profile;
}

}  // namespace

TEST_CASE("measured products take as long as the profile says: 12 % in the median, 30 % at worst",
          "[device]") {
  std::map<std::string, std::vector<double>> errors;
  for (const MeasuredProduct& measured : measured_products()) {
    const DeviceModel model(device(measured.device), measured.precision);
    const double error = model.seconds(measured.kernel).total() / measured.seconds - 1;
    CAPTURE(measured.device, name_of(measured.precision), measured.kernel.product.rows,
            measured.kernel.product.columns, measured.kernel.product.depth, error);
    CHECK(std::abs(error) < 0.25);
    errors[measured.device].push_back(std::abs(error));
    errors["all"].push_back(std::abs(error));
  }
  CHECK(errors.at("all").size() == 34);
  for (const auto& [name, values] : errors) {
    CAPTURE(name);
    CHECK(median(values) < 0.12);
  }
  CHECK(median(errors.at("all")) < 0.08);
}

TEST_CASE("a layer cut into four takes a quarter of the time where FLOPs would say a sixteenth", "[device]") {
  const DeviceModel v100(device("v100-sxm2"));
  const double whole = v100.seconds(matrix_product(2048, 16, 2048)).total();
  const double part = v100.seconds(matrix_product(512, 16, 512)).total();
  CHECK(whole / part == Approx(4.2).epsilon(0.2));
}

TEST_CASE("ResNet-50 runs at NVIDIA's published rates", "[device]") {
  struct Case {
    std::string device;
    DevicePrecision precision;
    Resnet50Run run;
    double published;  ///< images a second (PyTorch, DeepLearningExamples)
  };
  using enum DevicePrecision;
  // Batches of training and the layout of images are those of configs.yml there.
  const auto c = GENERATE(values<Case>({{"v100-sxm2", fp32, {112, true, false}, 367},
                                        {"v100-sxm2", fp16, {256, true, false}, 1200},
                                        {"a100-sxm-80gb", tf32, {256, true, true}, 938},
                                        {"a100-sxm-80gb", fp16, {256, true, false}, 2470},
                                        {"v100-sxm2", fp32, {1, false, false}, 96},
                                        {"v100-sxm2", fp32, {8, false, false}, 709},
                                        {"v100-sxm2", fp32, {32, false, false}, 1127},
                                        {"v100-sxm2", fp32, {256, false, false}, 1261},
                                        {"t4", fp32, {1, false, false}, 98},
                                        {"t4", fp32, {8, false, false}, 363},
                                        {"t4", fp32, {64, false, false}, 428}}));
  const double rate = images_per_second(c.device, c.precision, c.run);
  CAPTURE(c.device, name_of(c.precision), c.run.training, c.run.batch, rate, c.published);
  CHECK(rate == Approx(c.published).epsilon(0.15));
}

TEST_CASE("ResNet-50's work is that of its paper", "[device]") {
  const Work forward = resnet50_work({1, false, false});
  std::int64_t kernels = 0;
  for (const KernelCount& each : forward) kernels += each.count;
  CHECK(kernels == 174);
  double multiply_adds = 0;
  for (const KernelCount& each : forward) {
    if (each.kernel.product.depth > 0)
      multiply_adds += static_cast<double>(each.count) * each.kernel.flops / 2;
  }
  CHECK(multiply_adds == Approx(4.09e9).epsilon(0.001));
  CHECK(flops_of(resnet50_work({2, true, false})) == Approx(2 * 3 * 2 * 4.09e9).epsilon(0.02));
}

TEST_CASE("a flat device takes FLOPs / speed, to the last digit", "[device]") {
  const double speed = GENERATE(1e9, 42.3e9, 5e9 / 3);
  const DeviceModel flat(flat_device(speed), DevicePrecision::fp32, GENERATE(Issue::bare, Issue::eager));
  const Work work = assorted_work();
  for (const KernelCount& each : work) CHECK(flat.seconds(each.kernel).total() == each.kernel.flops / speed);
  CHECK(flat.seconds(work).seconds() == flops_of(work) / speed);
  CHECK(flat.seconds(Work{}).seconds() == 0);
}

TEST_CASE("twice the peak, bandwidth or speed of launching halves what it bounds, and nothing else",
          "[device]") {
  const std::string name = GENERATE("v100-sxm2", "t4", "raspberry-pi-4", "h100-sxm", "tpu-v5e");
  CAPTURE(name);
  const DeviceProfile& profile = device(name);
  const DeviceModel model(profile), peak(with_peaks_times(profile, 2)),
      bandwidth(with_bandwidth_times(profile, 2)), launch(with_kernel_seconds_times(profile, 0.5));
  // Far from where one bound takes over from another.
  const Kernel computes = matrix_product(8192, 8192, 8192);
  const Kernel streams = plain_kernel(KernelKind::elementwise, 1e8, 3e8);
  const Kernel nothing = plain_kernel(KernelKind::copy, 0, 0);
  CHECK(model.seconds(computes).bound() == Bound::compute);
  CHECK(model.seconds(streams).bound() == Bound::memory);
  CHECK(model.seconds(nothing).bound() == Bound::launch);
  Work work = assorted_work();
  for (const Kernel& kernel : {computes, streams, nothing}) add(work, kernel, 3);

  for (const KernelCount& each : work) {
    const BoundSeconds before = model.seconds(each.kernel);
    const auto check = [&](const DeviceModel& changed, const BoundSeconds& expected) {
      const BoundSeconds after = changed.seconds(each.kernel);
      CHECK(after.launch == expected.launch);
      CHECK(after.compute == expected.compute);
      CHECK(after.memory == expected.memory);
    };
    check(launch, {before.launch / 2, before.compute, before.memory});
    if (before.compute == 0) check(peak, before);  // what waits for memory
    if (before.memory == 0) check(bandwidth, before);
  }
  const BoundSeconds product = model.seconds(computes), stream = model.seconds(streams);
  CHECK(peak.seconds(computes).compute == product.compute / 2);
  CHECK(peak.seconds(computes).memory == product.memory);
  CHECK(bandwidth.seconds(streams).memory == stream.memory / 2);
  CHECK(bandwidth.seconds(streams).compute == stream.compute);
}

TEST_CASE("nothing gets slower on a better device, or much faster with more to do", "[device]") {
  for (const MeasuredProduct& measured : measured_products()) {
    const DeviceProfile& profile = device(measured.device);
    const auto seconds = [&](const DeviceProfile& of, const Kernel& kernel) {
      return DeviceModel(of, measured.precision).seconds(kernel).total();
    };
    const ProductShape& shape = measured.kernel.product;
    const double now = seconds(profile, measured.kernel);
    CHECK(seconds(with_peaks_times(profile, 2), measured.kernel) <= now);
    CHECK(seconds(with_bandwidth_times(profile, 2), measured.kernel) <= now);
    CHECK(seconds(with_kernel_seconds_times(profile, 0.5), measured.kernel) < now);
    // A library may split the depth of the larger one and not of the smaller.
    CHECK(seconds(profile, matrix_product(shape.rows + 1, shape.columns, shape.depth)) >= 0.9 * now);
    CHECK(seconds(profile, matrix_product(shape.rows, shape.columns + 1, shape.depth)) >= 0.9 * now);
    CHECK(seconds(profile, matrix_product(shape.columns, shape.rows, shape.depth)) == now);
  }
}

TEST_CASE("few rows cost as many as the smallest tile has", "[device]") {
  const DeviceModel v100(device("v100-sxm2"));
  const auto compute = [&](std::int64_t columns) {
    DeviceProfile profile = device("v100-sxm2");
    profile.memory_bandwidth_bytes_per_second = std::numeric_limits<double>::infinity();
    return DeviceModel(profile).seconds(matrix_product(2048, columns, 2048)).compute;
  };
  CHECK(compute(1) == compute(32));
  CHECK(compute(33) > compute(32));
}

TEST_CASE("an eager framework runs ahead of the device, or the device waits for it", "[device]") {
  const std::string name = GENERATE("v100-sxm2", "raspberry-pi-4", "t4");
  const DeviceProfile& profile = device(name);
  const DeviceModel bare(profile), eager(profile, DevicePrecision::fp32, Issue::eager);
  const Work work = assorted_work();

  // Kernel by kernel.
  double issued = 0, end = 0;
  for (const KernelCount& each : work) {
    for (std::int64_t i = 0; i < each.count; ++i) {
      issued += profile.operation_seconds;
      end = std::max(end, issued) + bare.seconds(each.kernel).total();
    }
  }
  const WorkSeconds result = eager.seconds(work);
  CHECK(result.seconds() == Approx(end).epsilon(1e-12));
  const BoundSeconds on_device = bare.seconds(work).all;
  CHECK(result.all.compute == on_device.compute);
  CHECK(result.all.memory == on_device.memory);
  CHECK(result.all.launch > on_device.launch);
  BoundSeconds kinds;
  for (const BoundSeconds& kind : result.by_kind) kinds += kind;
  CHECK(kinds.total() == Approx(result.seconds()).epsilon(1e-12));
  CHECK(eager.seconds(matrix_product(64, 64, 64)).total() ==
        Approx(profile.operation_seconds + bare.seconds(matrix_product(64, 64, 64)).total()).epsilon(1e-12));
}

TEST_CASE("convolutions are their implicit products", "[device]") {
  const ConvolutionWork shape = {.batch = 4,
                                 .input_channels = 16,
                                 .output_channels = 32,
                                 .height = 9,
                                 .width = 7,
                                 .window = 3,
                                 .stride = 2};
  const double multiply_adds = 4.0 * 5 * 4 * 32 * 16 * 9;
  const double elements = 4 * 9 * 7 * 16 + 4 * 5 * 4 * 32 + 16 * 9 * 32;
  for (const Kernel& kernel :
       {convolution_forward(shape), convolution_input_gradient(shape), convolution_weight_gradient(shape)}) {
    CHECK(kernel.flops == 2 * multiply_adds);
    CHECK(kernel.elements == elements);
    CHECK(kernel.bytes_in(DevicePrecision::bf16) == 2 * elements);
    CHECK(kernel.convolution == shape);
  }
  CHECK(convolution_forward(shape).product.rows == 4 * 5 * 4);
  CHECK(convolution_weight_gradient(shape).product.depth == 4 * 5 * 4);
}

TEST_CASE("products and convolutions without tiles, by hand", "[device]") {
  DeviceProfile profile = flat_device(1e9);
  PrecisionProfile& fp32 = *profile.precisions[0];
  fp32.half_rows = 4;
  fp32.half_columns = 10;
  fp32.half_depth = 20;
  const auto seconds = [&](const Kernel& kernel) { return DeviceModel(profile).seconds(kernel).compute; };
  CHECK(seconds(matrix_product(4, 10, 20)) == Approx(2 * 4 * 10 * 20 / 1e9 * 4));
  CHECK(seconds(matrix_product(4000, 10000, 20000)) == Approx(2 * 4e3 * 1e4 * 2e4 / 1e9 * 1.003));

  fp32.convolution_efficiency = 0.5;
  fp32.channel_block = 16;
  fp32.convolution_half_channels = 8;
  fp32.convolution_half_pixels = 600;
  const ConvolutionWork shape = {.batch = 6,
                                 .input_channels = 20,
                                 .output_channels = 40,
                                 .height = 10,
                                 .width = 10,
                                 .window = 3,
                                 .stride = 1};
  const double direct = 2.0 * 600 * 32 * 48 * 9 / 0.5e9 * (1 + 8.0 / 32 + 8.0 / 48 + 1);
  for (const Kernel& kernel :
       {convolution_forward(shape), convolution_input_gradient(shape), convolution_weight_gradient(shape)})
    CHECK(seconds(kernel) == Approx(direct));
  ConvolutionWork plain = shape;
  plain.input_channels = 1;
  plain.plain_input = true;  // not filled up
  CHECK(seconds(convolution_forward(plain)) ==
        Approx(2.0 * 600 * 1 * 48 * 9 / 0.5e9 * (1 + 8.0 + 8.0 / 48 + 1)));

  fp32.winograd_gain = 4;
  fp32.winograd_weight_gradient_gain = 2;
  fp32.winograd_least_channels = 20;
  fp32.winograd_tile = 4;  // 10 x 10 pixels are computed as 12 x 12
  fp32.winograd_half_channels = 16;
  fp32.winograd_half_pixels = 864;
  const double transformed = 2.0 * 864 * 32 * 48 * 9 / 0.5e9 * (1 + 16.0 / 32 + 16.0 / 48 + 1);
  CHECK(seconds(convolution_forward(shape)) == Approx(transformed / 4));
  CHECK(seconds(convolution_input_gradient(shape)) == Approx(transformed / 4));
  CHECK(seconds(convolution_weight_gradient(shape)) == Approx(transformed / 2));
  fp32.winograd_least_tiles = 6 * 9;  // of 4 x 4
  CHECK(seconds(convolution_forward(shape)) == Approx(transformed / 4));
  std::array others = {shape, shape, shape, shape};
  others[0].window = 1;
  others[1].stride = 2;
  others[2].input_channels = 19;
  others[3].batch = 5;
  for (const ConvolutionWork& other : others) {
    fp32.winograd_gain = 4;
    const double before = seconds(convolution_forward(other));
    fp32.winograd_gain = 1;
    CHECK(seconds(convolution_forward(other)) == before);
  }
}

TEST_CASE("caches, kinds and filled channels, by hand", "[device]") {
  DeviceProfile profile = flat_device(1e15);
  profile.memory_bandwidth_bytes_per_second = 1e9;
  profile.memory_efficiency = 0.5;
  profile.cache_bytes = 1e6;
  profile.cache_bandwidth_bytes_per_second = 4e9;
  const auto seconds = [&](const Kernel& kernel) { return DeviceModel(profile).seconds(kernel).memory; };
  const auto copy = [](double bytes) { return plain_kernel(KernelKind::copy, 0, 0, bytes); };
  CHECK(seconds(copy(1e6)) == Approx(1e6 / 4e9));
  CHECK(seconds(copy(3e6)) == Approx(3e6 / 4e9 + 2e6 / 0.5e9));
  profile.kind_factors[static_cast<std::size_t>(KernelKind::loss)] = 3;
  CHECK(seconds(copy(1e6)) == Approx(1e6 / 4e9));
  CHECK(seconds(plain_kernel(KernelKind::loss, 0, 0, 1e6)) == Approx(3e6 / 4e9));
  profile.precisions[0]->channel_block = 8;
  CHECK(seconds(of_images(copy(1e6), 8)) == Approx(1e6 / 4e9));
  CHECK(seconds(of_images(copy(1e6), 9)) == Approx(1e6 / 4e9 * 16 / 9));
}

TEST_CASE("equal kernels in a row are counted", "[device]") {
  Work work;
  add(work, matrix_product(2, 3, 4), 2);
  add(work, matrix_product(2, 3, 4));
  add(work, matrix_product(2, 4, 3));
  REQUIRE(work.size() == 2);
  CHECK(work[0].count == 3);
  CHECK(flops_of(work) == 4 * 48);
  CHECK(bytes_of(work, DevicePrecision::fp32) == 4 * (3 * 26 + 26));
}

TEST_CASE("every shipped device is valid and has the figures of the table", "[device]") {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(ISTHMUS_SOURCE_DIR "/platforms/devices")) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "device.schema.json") continue;
    INFO(entry.path().string());
    const std::string name = entry.path().stem();
    names.insert(name);
    const DeviceProfile& profile = device(name);
    CHECK(profile.name == name);
    CHECK(profile.kernel_seconds > 0);
    CHECK(profile.operation_seconds > profile.kernel_seconds);
    CHECK(profile.memory_bytes.value_or(0) >= 4.0 * (1 << 30));
    CHECK(profile.idle_watts.value_or(0) > 0);
    CHECK(profile.busy_watts.value_or(0) > profile.idle_watts.value_or(0));
    for (std::size_t i = 0; i < profile.precisions.size(); ++i) {
      if (!profile.precisions[i]) continue;
      const DeviceModel model(profile, static_cast<DevicePrecision>(i));
      const double rate =
          matrix_product(8192, 8192, 8192).flops / model.seconds(matrix_product(8192, 8192, 8192)).total();
      CHECK(rate / profile.precisions[i]->peak_flops_per_second <= profile.precisions[i]->efficiency);
      CHECK(rate / profile.precisions[i]->peak_flops_per_second > 0.4 * profile.precisions[i]->efficiency);
    }
  }
  CHECK(names.size() == 27);
  const auto shipped = shipped_devices();
  for (const std::string& name : names) CHECK(shipped.contains(name));
  CHECK_FALSE(shipped.contains("device.schema"));
}

TEST_CASE("a device that makes no sense is refused, with place, what was found and what is allowed",
          "[device]") {
  const json good = json::parse(R"({"description": "mine", "precisions": {"fp32": {
      "peak_flops_per_second": {"value": 1e12, "source": "mine"},
      "tiles": {"value": [[64, 32]], "source": "mine"}}}})");
  struct Case {
    std::string patch, place, text;
  };
  const auto c = GENERATE(values<Case>(
      {{R"([{"op": "remove", "path": "/precisions"}])", "mine.json: /precisions",
        "missing; expected an object"},
       {R"([{"op": "remove", "path": "/precisions/fp32"}])", "mine.json: /precisions",
        "\"fp32\" is missing; expected an object"},
       {R"([{"op": "add", "path": "/kernel_second", "value": 1}])", "mine.json: /kernel_second",
        "unknown key; did you mean \"kernel_seconds\"?"},
       {R"([{"op": "add", "path": "/kernel_seconds", "value": 1e-5}])", "mine.json: /kernel_seconds",
        "found 1e-05 (a number); expected an object, such as {\"source\":\"measured\",\"value\":1e-05}"},
       {R"([{"op": "add", "path": "/kernel_seconds", "value": {"value": -1, "source": "me"}}])",
        "mine.json: /kernel_seconds/value", "found -1; must be at least 0"},
       {R"([{"op": "add", "path": "/kernel_seconds", "value": {"value": 1}}])", "mine.json: /kernel_seconds",
        "\"source\" is missing; expected a string"},
       {R"([{"op": "add", "path": "/memory_efficiency", "value": {"value": 1.5, "source": "me"}}])",
        "mine.json: /memory_efficiency/value", "found 1.5; must be at most 1"},
       {R"([{"op": "add", "path": "/multiprocessors", "value": {"value": 0, "source": "me"}}])",
        "mine.json: /multiprocessors/value", "found 0; must be at least 1"},
       {R"([{"op": "replace", "path": "/precisions/fp32/peak_flops_per_second/value", "value": "1Tf"}])",
        "mine.json: /precisions/fp32/peak_flops_per_second/value", "found \"1Tf\"; expected a number"},
       {R"([{"op": "add", "path": "/precisions/fp8", "value": {}}])", "mine.json: /precisions/fp8",
        "unknown key; allowed here: bf16, fp16, fp32, tf32"},
       {R"([{"op": "replace", "path": "/precisions/fp32/tiles/value", "value": []}])",
        "mine.json: /precisions/fp32/tiles/value", "must have at least 1 item"},
       {R"([{"op": "replace", "path": "/precisions/fp32/tiles/value/0", "value": [64]}])",
        "mine.json: /precisions/fp32/tiles/value/0", "expected rows and columns, such as [128, 64]"}}));
  CAPTURE(c.patch);
  CHECK_NOTHROW(parse_device(good.dump(), "mine.json"));
  try {
    parse_device(good.patch(json::parse(c.patch)).dump(), "mine.json");
    FAIL("was accepted");
  } catch (const InputError& error) {
    CHECK(error.place() == c.place);
    CHECK_THAT(error.text(), Contains(c.text));
  }
}

TEST_CASE("files that are no devices, unknown names and precisions are refused", "[device]") {
  const auto message = [](const auto& act) -> std::string {
    try {
      act();
    } catch (const InputError& error) {
      return error.what();
    }
    return "was accepted";
  };
  CHECK_THAT(message([] { parse_device(" \n", "mine.json"); }),
             StartsWith("mine.json:1:1: the file is empty"));
  CHECK_THAT(message([] { parse_device("{\"a\":", "mine.json"); }), StartsWith("mine.json:1:"));
  CHECK_THAT(message([] { parse_device("[]", "mine.json"); }), StartsWith("mine.json: "));
  CHECK_THAT(
      message([] { find_device("v100-sxm3"); }),
      StartsWith("v100-sxm3: no such device; did you mean \"v100-sxm2\"? ") && Contains("raspberry-pi-4"));
  CHECK_THAT(message([] { find_device("v100", "/platform/device"); }),
             StartsWith("/platform/device: found \"v100\"; no such device; "));
  CHECK_THAT(message([] { DeviceModel(device("v100-sxm2"), DevicePrecision::bf16); }),
             StartsWith("v100-sxm2: has no figures for the precision \"bf16\"; allowed: fp32, fp16"));
  CHECK(find_device("t4").profile.name == "t4");
}

}  // namespace device_test
