#pragma once

#include <string>
#include <vector>

#include "flow.h"
#include "heng/contracts/tools.h"
#include "heng/pipeline/chatter.h"

namespace heng::pipeline {

/// Words that a system message marks as canaries: "canary-" and at least 8 letters or digits behind it; given without the mark.
std::vector<std::string> canaries_of(const ChatRequest& chat);
/// The user's turns of a chat, oldest first.
std::vector<std::string> user_turns(const std::vector<Message>& messages);

/// Asks the gate before one of Heng's own tools runs for a question; what it denies is put on record.
/// Errors: policy_denied (the gate's reason; also where there is no gate, or it fails).
Result<void> permit_tool(Flow& flow, const std::string& tool, const std::string& argument, LabelledValue value);

/// The gate's word on each tool call that a model proposed in a chat, in order. Arguments that stand in the user's own words are the
/// user's; those from results of tools, or that the model made up, are untrusted; with a tool's result in the conversation the wish
/// itself is. Without a gate, or where it fails, every call is denied.
std::vector<ToolNotice> judge_calls(const ChatterPorts& ports, const Principal& principal, const ChatRequest& chat, const std::vector<ToolCall>& calls);

}  // namespace heng::pipeline
