#include "analysis/report/phrases.hpp"

#include <cctype>
#include <cstdio>

namespace isthmus::analysis {

const char* const test_more_often =
    "test more often (training.evaluate_every_epochs or evaluate_every_rounds) or raise "
    "training.target_accuracy";

std::string percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%", 100 * fraction);
  return text;
}

std::string points(double difference) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f percentage points", 100 * difference);
  return text;
}

std::string lower_first(std::string text) {
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::string upper_first(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string enumerate(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  }
  return text;
}

std::string as_sentence(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  const bool ends = text.empty() || std::string(".!?:;").find(text.back()) != std::string::npos;
  return ends ? text : text + '.';
}

}  // namespace isthmus::analysis
