#pragma once

#include <map>
#include <string>

namespace isthmus::analysis {

// The page's parts, which are files beside this one.
extern const char* const report_template;
extern const char* const report_style;
extern const char* const report_script;

/// `text` with every {{name}} replaced by its value. Throws std::logic_error for a name without a value.
std::string fill_template(const std::string& text, const std::map<std::string, std::string>& values);

/// Text as HTML shows it, also inside a quoted attribute.
std::string escape_html(const std::string& text);

/// The same with spaces before units ("83 %", "10 ms") that lines do not break at.
std::string escape_prose(const std::string& text);

/// JSON that can stand inside a <script> element: no "</", no "<!--".
std::string escape_for_script(const std::string& json);

}  // namespace isthmus::analysis
