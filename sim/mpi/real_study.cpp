#include "sim/mpi/real_study.hpp"

#include "analysis/study_table.hpp"
#include "models/error.hpp"
#include "sim/study/files.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {

namespace fs = std::filesystem;

void require_real_study(const fs::path& folder, const ScenarioDocument& scenario) {
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) throw InputError("--out", folder.string() + " is not a folder");
  if (fs::is_empty(folder)) return;
  const OrderedJson study = read_json(folder / "study.json");
  const bool is_study = study.is_object() && study.contains("scenario");
  if (!is_study || study.value("clock", "") != "real") {
    throw InputError("--out", folder.string() + " holds other files; choose another folder");
  }
  const nlohmann::json before = study["scenario"], now = scenario;
  if (before == now) return;
  throw InputError("--out", folder.string() + " holds runs of another scenario (it differs at " +
                                nlohmann::json::diff(before, now)[0].at("path").get<std::string>() +
                                "); choose another folder or remove it");
}

void end_real_study(const fs::path& folder, const ScenarioDocument& scenario,
                    const std::vector<std::string>& arguments) {
  const std::vector<OrderedJson> runs = read_runs(folder);
  OrderedJson ids = OrderedJson::array();
  for (const OrderedJson& run : runs) ids.push_back(run.at("id"));
  OrderedJson command_line = {"isthmus-mpi"};
  for (const std::string& argument : arguments) command_line.push_back(argument);
  const OrderedJson study = {{"name", scenario.at("name")},  {"clock", "real"},
                             {"scenario", scenario},         {"runs", ids},
                             {"command_line", command_line}, {"build", build_provenance()}};
  write_file(folder / "study.json", study.dump(2) + "\n");
  write_file(folder / "runs.csv", runs_csv(runs));
}

}  // namespace isthmus
