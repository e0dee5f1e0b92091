#pragma once

#include "fields.h"
#include "heng/api/json.h"
#include "heng/contracts/feedback.h"
#include "heng/contracts/guard.h"

/// The shapes of json.h as values, for the routes that put them into larger ones.
namespace heng::api {

Json answer_value(const AskAnswer& answer);
Json label_value(const ContentLabel& label);                        ///< {"text","AIGC":{…}}: goes with every generated text.
Json citation_value(const Citation& citation);
Json sentence_value(const VerifiedSentence& sentence);
Json figure_value(const Figure& figure);
Json kb_value(const KbInfo& kb);
Json document_value(const DocumentInfo& document);
Json report_value(const IngestReport& report);
Json key_value(const KeyInfo& key);
Json review_value(const ReviewItem& item);
Json stop_value(const StopInfo& stop);
Json stream_item_value(const StreamItem& item);
Json alert_value(const Alert& alert);
Json model_value(const ModelInfo& model);
Json message_value(const Message& message);
Json usage_value(const Usage& usage);
Json verdict_value(const GuardVerdict& verdict);
std::string_view action_name(GuardAction action);                   ///< "release", "mask", "review", "withhold".
Json tokens_value(const std::vector<TokenInfo>& tokens, int top);   ///< OpenAI's "logprobs.content".
Json time_value(std::int64_t unix_ms);                              ///< ISO 8601, or null for 0.
Json error_value(const Error& error, const RequestId& id);

}  // namespace heng::api
