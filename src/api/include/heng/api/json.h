#pragma once

#include <string>
#include <vector>

#include "heng/base/error.h"
#include "heng/contracts/answer.h"
#include "heng/contracts/feedback.h"
#include "heng/contracts/guard.h"
#include "heng/contracts/identity.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/knowledge.h"
#include "heng/contracts/review.h"
#include "heng/contracts/stops.h"
#include "heng/contracts/users.h"
#include "heng/contracts/streams.h"
#include "heng/contracts/vault.h"

/// The JSON shapes of docs/api.md as text, so that the command line prints what the HTTP interface answers. Never fail:
/// invalid UTF-8 is replaced. One line each, without a final newline.
namespace heng::api {

std::string to_json(const AskAnswer& answer);
std::string to_json(const AskEvent& event);                       ///< The data of the event; its name is event_name().
std::string event_name(const AskEvent& event);
std::string search_results_to_json(const std::vector<Passage>& passages);   ///< {"results":[…]}
std::string passages_to_json(const std::vector<Passage>& passages);         ///< {"passages":[…]} of a document.
std::string to_json(const KbInfo& kb);
std::string to_json(const DocumentInfo& document);
std::string to_json(const IngestReport& report);
std::string to_json(const KeyInfo& key);
std::string to_json(const ModelInfo& model);
std::string to_json(const ReviewItem& item);
std::string to_json(const ReviewQuality& quality);
std::string to_json(const StopInfo& stop);
std::string to_json(const UserInfo& user);
std::string to_json(const StreamItem& item);
std::string to_json(const Alert& alert);
std::string to_json(const VaultEntry& entry);
std::string to_json(const UnmaskRequest& request);                ///< Never holds a value.
/// Errors: invalid_argument (names the kinds).
Result<StopKind> parse_stop_kind(std::string_view name);
std::string to_json(const ChatResult& result);                    ///< OpenAI's message and usage.
std::string to_json(const GuardVerdict& verdict);                 ///< {"verdict","masked","injection_score","findings":[…]}
std::string error_to_json(const Error& error);                    ///< {"error":{…}} without a request id.

}  // namespace heng::api
