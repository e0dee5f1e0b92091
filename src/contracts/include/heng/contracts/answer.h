#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/knowledge.h"
#include "heng/contracts/principal.h"

namespace heng {

/// Where a figure stands after verification.
enum class FigureStatus {
  cited,        ///< Found in a cited passage, with the same unit.
  computed,     ///< Computed by the calculator from figures that are cited.
  question,     ///< Repeats a figure of the question (never counted as evidence).
  withheld,     ///< Neither; the sentence that held it was not released.
};

struct Figure {
  std::string text;                   ///< As written: "1.55 percent", "3.2亿元".
  std::string value;                  ///< Plain decimal of its base unit: "0.0155", "320000000".
  std::string unit;                   ///< "percent", "bp", "CNY", "USD", "date", "count", "".
  FigureStatus status = FigureStatus::withheld;
  int citation = 0;                   ///< Number n of the citation, 0: none.
  std::string formula;                ///< For computed: "(3991 - 5506) / 5506".
  std::size_t begin = 0, end = 0;     ///< In code points of the answer (or of the withheld sentence).
};

struct Citation {
  int n = 0;                          ///< As in the text: [n].
  ChunkId chunk;
  DocumentId document;
  std::string document_title;
  std::string document_path;
  int page = 0;
  std::string heading;
  std::string quote;                  ///< The sentence or row that supports, verbatim from the passage.
  std::string sha256;                 ///< Of the passage.
  std::vector<PageBox> boxes;
};

enum class SentenceStatus { supported, extracted, computed, withheld };

/// A sentence of the answer and what the verifier says of it.
struct VerifiedSentence {
  std::string text;
  SentenceStatus status = SentenceStatus::withheld;
  std::vector<int> citations;
  double support = 0;                 ///< 0…1.
  std::string reason;                 ///< Why it was withheld; empty otherwise.
  std::vector<Figure> figures;
};

/// The system's decision on an answer: released as it is, released without some sentences, replaced by quotes, none given, or
/// sent to a reviewer.
enum class AnswerVerdict { released, partial, extractive, abstained, review };

struct AskRequest {
  Principal principal;
  KbName kb;
  std::string question;
  std::vector<Message> history;       ///< Earlier turns, oldest first.
  std::string model;
  int passages = 6;
  int max_tokens = 512;
  std::optional<SteadyTime> deadline;
  Priority priority = Priority::interactive;
};

/// Label of generated content (人工智能生成合成内容标识办法, art. 4 and 5): goes with every answer and into every export.
struct ContentLabel {
  std::string text;                   ///< What a reader sees.
  std::string provider;               ///< Name or code of the institution.
  std::string content_id;             ///< Of this content; the request's id.
};

/// What the tool policy said of a tool call that is handed to the client.
struct ToolNotice {
  std::string id, name;
  std::string decision;               ///< "allow", "confirm" (a person confirms it before the client runs it), "deny" (not handed out).
  std::string reason, clause;
  std::vector<std::string> untrusted; ///< Arguments whose values come from documents, tools or the model.
};

struct StageTiming {
  std::string stage;
  double ms = 0;
};

struct AskAnswer {
  std::string answer;                 ///< What is shown. Sentences carry [n].
  std::string language;               ///< "zh" or "en".
  std::string standalone_question;    ///< After rewriting with the conversation.
  bool abstained = false;
  AnswerVerdict verdict = AnswerVerdict::abstained;
  std::vector<VerifiedSentence> sentences;   ///< Released and withheld, in order.
  std::vector<Citation> citations;
  std::vector<Figure> figures;        ///< Of the released text.
  std::vector<Passage> passages;      ///< What was retrieved, best first.
  std::string model, model_sha256;
  Usage usage;
  std::int64_t audit_index = -1;
  RequestId request;
  std::vector<StageTiming> timings;
  std::string review;                 ///< Id in the review queue, where the answer went there instead of to the user.
  ContentLabel label;
  double injection_score = 0;         ///< 0…1, how much the conversation reads like an attack: advice.
};

/// Events of a streamed answer, in order: stage…, passages, sentence… , done (by return).
struct AskEvent {
  enum class Kind { stage, passages, sentence } kind = Kind::stage;
  std::string stage;                          ///< "search", "read", "write", "verify".
  std::vector<Passage> passages;
  std::optional<VerifiedSentence> sentence;   ///< Released sentences only: nothing leaves before its verdict.
  std::vector<Citation> citations;            ///< New ones, with the sentence that uses them first.
};
using AskSink = std::function<bool(const AskEvent&)>;

/// A sentence draft judged against the passages it cites. Implemented in guard.
struct VerifyInput {
  std::string question;
  std::string sentence;                       ///< With its [n] marks.
  std::vector<Passage> passages;              ///< Passage n-1 is cited as [n].
  std::vector<Figure> computed;               ///< Figures the calculator has made so far.
};

class AnswerVerifier {
 public:
  virtual ~AnswerVerifier() = default;
  /// Never fails: a sentence that cannot be judged is withheld, with the reason.
  virtual VerifiedSentence verify(const VerifyInput&) const = 0;
  /// The best sentences of the passages for the question, verbatim, with citations; empty where nothing is close enough.
  virtual std::vector<VerifiedSentence> extract(const std::string& question, const std::vector<Passage>&, int most) const = 0;
  /// 0…1: how well the passages cover what the question asks for; and what is missing, in words.
  struct Evidence {
    double strength = 0;
    std::vector<std::string> missing;
  };
  virtual Evidence evidence(const std::string& question, const std::vector<Passage>&) const = 0;
};

/// Exact arithmetic for the model. Implemented in quant/calculator.
struct CalculatorResult {
  std::string value;                          ///< Plain decimal.
  std::string formula;
  std::string explanation;
};
class Calculator {
 public:
  virtual ~Calculator() = default;
  /// Evaluates "growth(3991, 5506)", "(a - b) / b", "sum(1,2,3)", "compound(10000, 0.015, 3)" on decimals.
  /// Errors: malformed_input (says where), invalid_argument (division by zero, unknown function).
  virtual Result<CalculatorResult> evaluate(const std::string& expression) const = 0;
};

/// The whole flow for one question. Implemented in pipeline.
class Asker {
 public:
  virtual ~Asker() = default;
  virtual Result<AskAnswer> ask(const AskRequest&, const AskSink& sink, std::stop_token stop) = 0;
};

struct ChatTurn {
  Principal principal;
  ChatRequest chat;
};
struct ChatReply {
  ChatResult result;
  std::int64_t audit_index = -1;
  RequestId request;
  std::string review;                 ///< Id in the review queue, where the text went there instead of to the user.
  ContentLabel label;
  std::vector<ToolNotice> tools;      ///< One for each tool call that the model proposed.
  double injection_score = 0;         ///< 0…1, how much the conversation reads like an attack: advice.
};
/// The same flow for plain chat: admit → open record → guard in → infer → guard out → close record.
class Chatter {
 public:
  virtual ~Chatter() = default;
  virtual Result<ChatReply> chat(const ChatTurn&, const ChatSink& sink, std::stop_token stop) = 0;
};

}  // namespace heng
