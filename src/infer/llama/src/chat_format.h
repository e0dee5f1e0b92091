#pragma once

#include <memory>
#include <string>
#include <vector>

#include "forced_text.h"
#include "heng/contracts/inference.h"
#include "model.h"

namespace heng::infer {

/// Reads an answer's text back into content, reasoning and tool calls, piece by piece. Used by one thread.
class AnswerReader {
 public:
  virtual ~AnswerReader() = default;
  /// What is new with this text.
  virtual ChatDelta push(const std::string& text) = 0;
  /// The rest, and the whole message.
  virtual ChatDelta finish(Message& message) = 0;
};

struct FormattedChat {
  std::string prompt;
  Grammar::Source grammar;                ///< Empty text: none.
  std::vector<Token> shown_specials;      ///< Special tokens that belong into the text (tool call marks).
  std::vector<std::string> stops;
  std::unique_ptr<AnswerReader> reader;
};

/// The model's own chat template. Thread-safe.
class ChatTemplate {
 public:
  explicit ChatTemplate(const Model& model);
  ~ChatTemplate();
  /// Errors: invalid_argument (schema, tools, roles), unsupported (the template cannot do it).
  Result<FormattedChat> format(const ChatRequest& request) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A JSON schema as GBNF without optional white space ("a": 1, "b": 2), so that all fixed parts can be forced.
/// Errors: invalid_argument.
Result<std::string> schema_grammar(const std::string& schema_json);

/// Takes optional white space out of a grammar made by llama.cpp's converter.
std::string compact_grammar(const std::string& grammar);

}  // namespace heng::infer
