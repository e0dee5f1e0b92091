#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/principal.h"

namespace heng {

using ReviewId = StringId<struct ReviewTag>;

enum class ReviewState { waiting, approved, rejected, expired };
enum class ReviewDecision { approve, edit, reject };

/// What a reviewer reads first: a passage, with the hash of its text.
struct ReviewEvidence {
  std::string document;
  int page = 0;
  std::string sha256, text;
};

/// What policy sends to people instead of to the user.
struct ReviewDraft {
  std::string kind = "answer";            ///< "answer", "action", or "unmask": decided on by privacy and supervisor only, never edited.
  std::string resource;                   ///< Knowledge base, model or tool.
  std::string question;
  std::string proposed;                   ///< The answer's text, or the action as JSON.
  std::string language;                   ///< "zh", "en" or "".
  std::vector<ReviewEvidence> evidence;
  std::string rule;                       ///< The policy that sent it here.
  std::string reason;                     ///< What the model or the guard says about it; shown after the evidence.
  std::int64_t audit_index = -1;          ///< Of the request it belongs to.
};

struct ReviewVote {
  UserId reviewer;
  ReviewDecision decision = ReviewDecision::reject;
  std::string sha256;                     ///< Of the text voted for (of an edit: the new text).
  std::string reason;
  std::int64_t time_ms = 0;
};

/// One item of the queue, as far as the principal that asked may see it: the author sees no text before it is approved; a
/// reviewer sees neither the author nor the other votes before the own vote.
struct ReviewItem {
  ReviewId id;
  ReviewState state = ReviewState::waiting;
  std::string kind, resource, question, language, rule, reason;
  std::vector<ReviewEvidence> evidence;
  std::string text;                       ///< As proposed, or as last edited.
  std::string sha256;                     ///< SHA-256 of `text`, lower-case hex: what a vote binds.
  int approvals_needed = 1;
  int approvals = 0;                      ///< Of this text.
  std::int64_t created_ms = 0, due_ms = 0, expires_ms = 0, decided_ms = 0;
  std::int64_t valid_until_ms = 0;        ///< An approval is worth nothing after this; 0: not approved.
  bool escalated = false;                 ///< Past its time limit.
  bool redeemed = false;                  ///< The approved action was carried out; an approval serves once.
  std::vector<ReviewVote> votes;
  UserId author;                          ///< Empty where it is not shown.
  std::int64_t audit_index = -1;
};

struct ReviewChoice {
  ReviewDecision decision = ReviewDecision::reject;
  std::string sha256;                     ///< Of the text the reviewer has read; another one is a conflict.
  std::string text;                       ///< Of an edit: the new text.
  std::string reason;                     ///< Required for edit and reject.
};

/// How well people review: planted errors found, agreement where two judged the same text without seeing each other.
struct ReviewQuality {
  struct Reviewer {
    UserId reviewer;
    int decisions = 0, approved = 0, edited = 0, rejected = 0;
    int planted = 0, caught = 0;          ///< Planted errors judged, and not approved.
    double catch_low = 0, catch_high = 1; ///< 95 % Wilson interval of caught / planted.
    double median_s = 0;                  ///< From arrival to decision.
  };
  std::vector<Reviewer> reviewers;
  int pairs = 0;                          ///< Items with two independent first votes.
  double agreement = 0;                   ///< Share of pairs that agree.
  std::optional<double> kappa;            ///< Cohen (1960); nothing where chance alone explains all or there is no pair.
  int waiting = 0, overdue = 0, approved = 0, rejected = 0, expired = 0;
};

/// The port to the queue of people. Thread-safe. Everything is of the principal's tenant; what is of another does not exist.
/// Each change is noted in the ledger before it counts. Errors beside those named: unavailable (ledger, store).
class Reviews {
 public:
  virtual ~Reviews() = default;
  /// The standing policy's rule that sends this to people whatever the guard says ("kind": answer or action), or nothing.
  virtual std::optional<std::string> required(const Principal&, std::string_view kind, const std::string& resource) const = 0;
  virtual Result<ReviewItem> submit(const Principal& author, const ReviewDraft&) = 0;
  /// Reviewers: all of the tenant, the overdue first. Others: their own. `state`: nothing means all.
  virtual Result<std::vector<ReviewItem>> list(const Principal&, std::optional<ReviewState> state, int limit) = 0;
  virtual Result<ReviewItem> get(const Principal&, const ReviewId&) = 0;
  /// Errors: not_found, permission_denied (not a reviewer, or the author), conflict (another text than the one read, voted
  /// already, or closed), invalid_argument (no reason, empty edit).
  virtual Result<ReviewItem> decide(const Principal&, const ReviewId&, const ReviewChoice&) = 0;
  /// Uses up the approval of an action for exactly the text with this hash, once, before it expires. For whoever carries it
  /// out. Errors: not_found, conflict (not approved, other text, used), policy_denied (expired).
  virtual Result<ReviewItem> redeem(const Principal&, const ReviewId&, const std::string& sha256) = 0;
  /// Puts an item with a known answer among the others, to measure reviewers. Errors: permission_denied.
  virtual Result<ReviewItem> plant(const Principal&, const ReviewDraft&, ReviewDecision expected) = 0;
  virtual Result<ReviewQuality> quality(const Principal&) = 0;
  /// The items of one request, for its explanation. For auditors; author and votes are shown.
  virtual Result<std::vector<ReviewItem>> of_record(const Principal&, std::int64_t audit_index) = 0;
};

inline std::string_view to_string(ReviewState state) {
  switch (state) {
    case ReviewState::waiting: return "waiting";
    case ReviewState::approved: return "approved";
    case ReviewState::rejected: return "rejected";
    case ReviewState::expired: return "expired";
  }
  return "waiting";
}
inline std::string_view to_string(ReviewDecision decision) {
  switch (decision) {
    case ReviewDecision::approve: return "approve";
    case ReviewDecision::edit: return "edit";
    case ReviewDecision::reject: return "reject";
  }
  return "reject";
}

}  // namespace heng
