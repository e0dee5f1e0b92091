#include "stages.h"

namespace heng::pipeline {

const std::vector<Stage>& ask_stages() {
  static const std::vector<Stage> stages = {
      {"open_record", open_record, StageRuns::while_well,
       "first: what is not on record must not run, not even the checks of the question"},
      {"check_stops", check_stops, StageRuns::while_well,
       "on record, before anything else: what is halted does not even look at the question"},
      {"guard_in", guard_in, StageRuns::while_well,
       "before any model or search sees the question: guards fail closed"},
      {"rewrite", rewrite, StageRuns::while_well,
       "before search: a follow-up finds nothing until the conversation is written into it"},
      {"search", search, StageRuns::while_well,
       "before anything is written: the answer may only come from what is found"},
      {"weigh_evidence", weigh_evidence, StageRuns::while_well,
       "before the model: with too little evidence an abstention is cheaper and safer than a draft"},
      {"build_prompt", build_prompt, StageRuns::while_well,
       "before compute: both calls to the model share this prefix, so it is decoded once"},
      {"compute", compute, StageRuns::while_well,
       "before the draft: the model repeats computed figures, it never makes them"},
      {"write_answer", write_answer, StageRuns::while_well,
       "each sentence passes the verifier and the outgoing guard before it leaves, so these two run inside"},
      {"settle", settle, StageRuns::while_well,
       "after the draft: only now it is known whether quotes or an abstention must take its place"},
      {"send_to_review", send_to_review, StageRuns::while_well,
       "after the answer is whole: a person judges all of it, and the user gets the number of the review instead"},
      {"close_record", close_record, StageRuns::once_opened,
       "last, and always: the final event is sent only when the record of it is durable"},
  };
  return stages;
}

}  // namespace heng::pipeline
