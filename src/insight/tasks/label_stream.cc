#include "heng/insight/label_stream.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "heng/base/clock.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "tasks/line_files.h"

namespace heng::insight {
namespace {

namespace fs = std::filesystem;
static_assert(LineReader::padding >= simdjson::SIMDJSON_PADDING);

void append_escaped(std::string& out, std::string_view s) {
  out += '"';
  for (const char c : s) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

/// A probability with four digits.
void append_probability(std::string& out, double p) {
  const int parts = static_cast<int>(std::lround(std::min(std::max(p, 0.0), 1.0) * 10000));
  const char digits[6] = {static_cast<char>('0' + parts / 10000), '.', static_cast<char>('0' + parts / 1000 % 10), static_cast<char>('0' + parts / 100 % 10),
                          static_cast<char>('0' + parts / 10 % 10), static_cast<char>('0' + parts % 10)};
  out.append(digits, 6);
}

/// What a line says.
struct Parsed {
  std::string id = "null";            ///< As JSON.
  std::string text, head, tail;
  Result<void> state;
  std::int64_t line = 0;
};

class LineParser {
 public:
  void parse(const LineReader::Line& line, Parsed& out) {
    if (line.too_long) {
      out.state = Error(ErrorCode::too_large, fmt::format("the line is longer than {} bytes", longest_line_bytes), "text");
      return;
    }
    if (text::trim(line.text).empty()) {
      out.state = Error(ErrorCode::malformed_input, "the line is empty");
      return;
    }
    // line.text lies in the reader's buffer, which has the padding behind it
    simdjson::dom::element root;
    const auto error = parser_.parse(line.text.data(), line.text.size(), false).get(root);
    if (error) {
      out.state = error == simdjson::UTF8_ERROR ? Error(ErrorCode::malformed_input, fmt::format("not valid UTF-8 (byte {} of the line)", text::first_invalid_utf8(line.text)))
                                                : Error(ErrorCode::malformed_input, fmt::format("not JSON: {}", simdjson::error_message(error)));
      return;
    }
    simdjson::dom::object object;
    if (root.get(object)) {
      out.state = Error(ErrorCode::malformed_input, "not a JSON object");
      return;
    }
    simdjson::dom::element id;
    if (!object.at_key("id").get(id)) {
      if (id.is_string()) {
        out.id.clear();
        append_escaped(out.id, id.get_string().value_unsafe());
      } else if (id.is_number()) {
        out.id = simdjson::minify(id);
      } else if (!id.is_null()) {
        out.state = Error(ErrorCode::malformed_input, "\"id\" is neither a string nor a number", "id");
        return;
      }
    }
    std::string_view body;
    auto failed = object.at_key("text").get(body);
    if (failed == simdjson::NO_SUCH_FIELD) failed = object.at_key("content").get(body);
    if (failed) {
      out.state = Error(ErrorCode::malformed_input, failed == simdjson::NO_SUCH_FIELD ? "no field \"text\"" : "\"text\" is not a string", "text");
      return;
    }
    out.text.assign(body);
    if (optional_text(object, "entity", out.head, out)) return;
    if (optional_text(object, "head", out.head, out)) return;
    (void)optional_text(object, "tail", out.tail, out);
  }

 private:
  /// True: it is there but no string.
  static bool optional_text(const simdjson::dom::object& object, const char* name, std::string& into, Parsed& out) {
    std::string_view value;
    const auto failed = object.at_key(name).get(value);
    if (failed == simdjson::NO_SUCH_FIELD) return false;
    if (failed) {
      out.state = Error(ErrorCode::malformed_input, fmt::format("\"{}\" is not a string", name), name);
      return true;
    }
    into.assign(value);
    return false;
  }

  simdjson::dom::parser parser_;
};

class LabelStream {
 public:
  LabelStream(Labeller& labeller, const LabelStreamSettings& settings, const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& progress, std::stop_token stop)
      : labeller_(labeller), settings_(settings), progress_(progress), stop_(stop) {}

  Result<LabelStreamReport> run() {
    const auto start = system_clock().steady();
    LineReader reader = HENG_TRY(LineReader::open(settings_.input));
    const bool go_on = HENG_TRY(prepare());
    LineWriter writer = HENG_TRY(LineWriter::open(settings_.output, go_on));
    LineReader::Line line;
    std::int64_t number = 0;
    for (; number < writer.lines_kept(); ++number) {
      if (!HENG_TRY(reader.next(line)))
        return Error(ErrorCode::conflict, fmt::format("{} has {} lines but the input only {}: the input is another; give --restart to begin anew", settings_.output.string(), writer.lines_kept(), number), "in");
    }
    report_.continued_from = number;
    bool more = true;
    while (more && !stop_.stop_requested()) {
      batch_.clear();
      std::size_t bytes = 0;
      while (batch_.size() < settings_.lines_at_once && bytes < (8u << 20)) {
        if (settings_.input == "-" && !batch_.empty() && !reader.at_hand()) break;
        more = HENG_TRY(reader.next(line));
        if (!more) break;
        Parsed& parsed = batch_.emplace_back();
        parsed.line = ++number;
        parser_.parse(line, parsed);
        bytes += parsed.text.size();
      }
      if (batch_.empty()) break;
      auto done = label(writer);
      if (!done.ok()) {
        if (done.error().code == ErrorCode::cancelled) break;
        return done.error();
      }
      if (progress_) progress_(reader.bytes(), reader.size(), number);
    }
    report_.stopped = stop_.stop_requested();
    report_.seconds = elapsed_ms(start) / 1000;
    std::error_code failed;
    if (!report_.stopped) fs::remove(mark(), failed);
    return report_;
  }

 private:
  fs::path mark() const { return settings_.output.string() + ".progress"; }

  /// What must be the same for a broken run to be continued.
  Result<std::string> identity() const {
    std::ifstream in(settings_.input, std::ios::binary);
    std::string head(4096, '\0');
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(in.gcount()));
    const auto end = head.find('\n');
    return nlohmann::ordered_json({{"task", settings_.task}, {"version", settings_.task_version}, {"tier", tier_name(settings_.tier)}, {"abstain_below", settings_.abstain_below},
                                   {"evidence", settings_.evidence}, {"input", fs::absolute(settings_.input).string()}, {"first_line_sha256", sha256_hex(head.substr(0, end))}})
        .dump();
  }

  /// True: an earlier run was broken off and goes on.
  Result<bool> prepare() const {
    if (settings_.output == "-" || settings_.input == "-") return false;
    std::error_code failed;
    if (fs::equivalent(settings_.input, settings_.output, failed)) return Error(ErrorCode::invalid_argument, "input and output are the same file", "out");
    const std::string wanted = HENG_TRY(identity());
    if (!settings_.restart && fs::exists(mark(), failed) && fs::exists(settings_.output, failed)) {
      std::ifstream in(mark(), std::ios::binary);
      std::string found(std::istreambuf_iterator<char>(in), {});
      if (found == wanted) return true;
      return Error(ErrorCode::conflict, fmt::format("{} was begun with other settings ({}); finish it with those, or give --restart to begin anew", settings_.output.string(), found), "out");
    }
    // the mark first, then the output is emptied: a kill between the two must not take an older output for a broken run
    fs::remove(settings_.output, failed);
    const fs::path partial = mark().string() + ".partial";
    {
      std::ofstream out(partial, std::ios::binary | std::ios::trunc);
      out << wanted;
      if (!out.flush()) return Error(ErrorCode::invalid_argument, fmt::format("cannot write {}", partial.string()), "out");
    }
    fs::rename(partial, mark(), failed);
    if (failed) return Error(ErrorCode::internal, fmt::format("cannot write {}: {}", mark().string(), failed.message()), "out");
    return false;
  }

  Result<void> label(LineWriter& writer) {
    LabelRequest request;
    request.tenant = settings_.tenant;
    request.task = settings_.task;
    request.tier = settings_.tier;
    request.abstain_below = settings_.abstain_below;
    request.evidence = settings_.evidence;
    for (auto& parsed : batch_)
      if (parsed.state.ok()) request.items.push_back({{}, std::move(parsed.text), std::move(parsed.head), std::move(parsed.tail)});
    LabelOutcomes outcomes;
    if (!request.items.empty()) outcomes = HENG_TRY(labeller_.label(request, stop_));
    out_.clear();
    std::size_t next = 0;
    for (const auto& parsed : batch_) {
      ++report_.lines;
      if (!parsed.state.ok()) write_error(parsed, parsed.state.error());
      else if (const auto& outcome = outcomes[next++]; outcome.ok()) write_result(parsed, *outcome);
      else write_error(parsed, outcome.error());
    }
    return writer.write(out_);
  }

  void write_error(const Parsed& parsed, const Error& error) {
    ++report_.errors;
    out_ += "{\"id\":" + parsed.id + ",\"error\":{\"code\":";
    append_escaped(out_, to_string(error.code));
    out_ += ",\"message\":";
    append_escaped(out_, error.message);
    out_ += fmt::format(",\"line\":{}}}}}\n", parsed.line);
  }

  void write_result(const Parsed& parsed, const LabelResult& result) {
    ++report_.by_tier[static_cast<std::size_t>(result.tier)];
    report_.abstained += result.abstained;
    out_ += "{\"id\":";
    out_ += parsed.id;
    out_ += ",\"label\":";
    if (result.abstained) out_ += "null";
    else append_escaped(out_, result.label);
    out_ += ",\"confidence\":";
    append_probability(out_, result.confidence);
    out_ += ",\"scores\":{";
    bool first = true;
    for (const auto& [label, p] : result.scores) {
      if (!first) out_ += ',';
      first = false;
      append_escaped(out_, label);
      out_ += ':';
      append_probability(out_, p);
    }
    out_ += "},\"tier\":\"";
    out_ += tier_name(result.tier);
    out_ += '"';
    if (result.abstained) out_ += ",\"abstained\":true";
    if (settings_.evidence) {
      out_ += ",\"evidence\":[";
      for (std::size_t i = 0; i < result.evidence.size(); ++i)
        out_ += fmt::format("{}{{\"start\":{},\"end\":{},\"weight\":{:.4f}}}", i ? "," : "", result.evidence[i].begin, result.evidence[i].end, result.evidence[i].weight);
      out_ += ']';
    }
    out_ += "}\n";
  }

  Labeller& labeller_;
  const LabelStreamSettings& settings_;
  const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& progress_;
  std::stop_token stop_;
  LineParser parser_;
  std::vector<Parsed> batch_;
  std::string out_;
  LabelStreamReport report_;
};

}  // namespace

Result<LabelStreamReport> label_stream(Labeller& labeller, const LabelStreamSettings& settings, const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& progress,
                                       std::stop_token stop) {
  return LabelStream(labeller, settings, progress, stop).run();
}

}  // namespace heng::insight
