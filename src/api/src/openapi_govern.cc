#include "openapi_schemas.h"

namespace heng::api {

const char* openapi_govern_schemas() {
  return R"json({
"Sha256":{"type":"string","pattern":"^[0-9a-f]{64}$"},
"Reason":{"type":"object","required":["reason"],"properties":{"reason":{"type":"string","minLength":1,"maxLength":1000,"pattern":"[^ \\t\\r\\n]"}}},
"ReviewHash":{"type":"object","required":["sha256"],"properties":{"sha256":{"$ref":"#/components/schemas/Sha256"}}},
"ReviewChoice":{"type":"object","required":["decision","sha256"],"properties":{"decision":{"enum":["approve","edit","reject"]},
  "sha256":{"$ref":"#/components/schemas/Sha256"},"text":{"type":["string","null"]},"reason":{"type":["string","null"],"maxLength":4000}}},
"NewReview":{"type":"object","required":["proposed"],"properties":{"kind":{"enum":["answer","action",null]},
  "proposed":{"type":"string","minLength":1,"pattern":"[^ \\t\\r\\n]"},"question":{"type":["string","null"],"maxLength":16000},
  "resource":{"type":["string","null"],"maxLength":256},"rule":{"type":["string","null"],"maxLength":256},
  "reason":{"type":["string","null"],"maxLength":4000},"planted":{"enum":["approve","reject",null]},
  "evidence":{"type":["array","null"],"maxItems":64,"items":{"type":"object","required":["text"],"properties":{
   "text":{"type":"string","minLength":1,"maxLength":32000,"pattern":"[^ \\t\\r\\n]"},"document":{"type":["string","null"],"maxLength":1024},
   "page":{"type":["integer","null"],"minimum":0,"maximum":2147483647}}}}}},
"ReviewVote":{"type":"object","required":["reviewer","decision","sha256","reason","time"],"properties":{"reviewer":{"type":"string"},
  "decision":{"enum":["approve","edit","reject"]},"sha256":{"type":"string"},"reason":{"type":"string"},"time":{"type":["string","null"]}}},
"Review":{"type":"object","required":["id","state","kind","resource","question","evidence","text","sha256","rule","reason","approvals","approvals_needed",
  "escalated","redeemed","created","due","expires","decided","valid_until","votes"],"properties":{"id":{"type":"string"},
  "state":{"enum":["waiting","approved","rejected","expired"]},"kind":{"type":"string"},"resource":{"type":"string"},"question":{"type":"string"},
  "evidence":{"type":"array","items":{"type":"object","required":["document","page","sha256","text"]}},"text":{"type":"string"},
  "sha256":{"type":"string"},"language":{"type":"string"},"rule":{"type":"string"},"reason":{"type":"string"},"approvals":{"type":"integer"},
  "approvals_needed":{"type":"integer"},"escalated":{"type":"boolean"},"redeemed":{"type":"boolean"},"created":{"type":["string","null"]},
  "due":{"type":["string","null"]},"expires":{"type":["string","null"]},"decided":{"type":["string","null"]},
  "valid_until":{"type":["string","null"]},"votes":{"type":"array","items":{"$ref":"#/components/schemas/ReviewVote"}},
  "author":{"type":"string"},"audit_index":{"type":"integer"},"ai_label":{"$ref":"#/components/schemas/ContentLabel"}}},
"ReviewList":{"type":"object","required":["reviews"],"properties":{"reviews":{"type":"array","items":{"$ref":"#/components/schemas/Review"}}}},
"ReviewQuality":{"type":"object","required":["reviewers","pairs","agreement","kappa","waiting","overdue","approved","rejected","expired"],"properties":{
  "reviewers":{"type":"array","items":{"type":"object"}},"pairs":{"type":"integer"},"agreement":{"type":["number","null"]},
  "kappa":{"type":["number","null"]},"waiting":{"type":"integer"},"overdue":{"type":"integer"},"approved":{"type":"integer"},
  "rejected":{"type":"integer"},"expired":{"type":"integer"}}},
"NewStop":{"type":"object","required":["kind","reason"],"properties":{"kind":{"enum":["everything","tenant","desk","model","tool"]},
  "name":{"type":["string","null"],"maxLength":256},"reason":{"type":"string","minLength":1,"maxLength":1000,"pattern":"[^ \\t\\r\\n]"}}},
"StopInfo":{"type":"object","required":["id","kind","name","tenant","reason","stopped_by","stopped","resume_asked_by","resume_asked","resumed_by","resumed",
  "halts"],"properties":{"id":{"type":"integer"},"kind":{"type":"string"},"name":{"type":"string"},"tenant":{"type":["string","null"]},
  "reason":{"type":"string"},"stopped_by":{"type":"string"},"stopped":{"type":["string","null"]},"resume_asked_by":{"type":"string"},
  "resume_asked":{"type":["string","null"]},"resumed_by":{"type":"string"},"resumed":{"type":["string","null"]},"halts":{"type":"boolean"}}},
"DataClassName":{"enum":["C1","C2","C3"]},
"Credentials":{"type":"object","required":["user","password"],"properties":{"tenant":{"type":["string","null"],"maxLength":64},
  "user":{"type":"string","minLength":1,"maxLength":64,"pattern":"[^ \\t\\r\\n]"},"password":{"type":"string","minLength":1,"maxLength":512,"pattern":"[^ \\t\\r\\n]"},
  "code":{"type":["string","null"],"maxLength":16}}},
"Session":{"type":"object","required":["token","expires","tenant","user","roles"],"properties":{"token":{"type":"string"},"expires":{"type":"string"},
  "tenant":{"type":"string"},"user":{"type":"string"},"roles":{"type":"array","items":{"type":"string"}}}},
"NewUser":{"type":"object","required":["user","password"],"properties":{"user":{"type":"string","minLength":1,"maxLength":64,"pattern":"^[A-Za-z0-9_.@-]+$"},
  "name":{"type":["string","null"],"maxLength":50},"desk":{"type":["string","null"],"maxLength":64},"purpose":{"type":["string","null"],"maxLength":64},
  "password":{"type":"string","minLength":12,"maxLength":256},"clearance":{"enum":["C1","C2","C3",null]},
  "roles":{"type":["array","null"],"maxItems":64,"items":{"$ref":"#/components/schemas/RoleName"}}}},
"User":{"type":"object","required":["tenant","user","name","roles","desk","clearance","purpose","disabled","totp","created","last_login"],"properties":{
  "tenant":{"type":"string"},"user":{"type":"string"},"name":{"type":"string"},"roles":{"type":"array","items":{"type":"string"}},"desk":{"type":"string"},
  "clearance":{"$ref":"#/components/schemas/DataClassName"},"purpose":{"type":"string"},"disabled":{"type":"boolean"},"totp":{"type":"boolean"},"issuer":{"type":["string","null"]},
  "created":{"type":["string","null"]},"last_login":{"type":["string","null"]}}},
"UserList":{"type":"object","required":["users"],"properties":{"users":{"type":"array","items":{"$ref":"#/components/schemas/User"}}}},
"VaultEntry":{"type":"object","required":["token","type","of_subject","first","last"],"properties":{"token":{"type":"string"},"type":{"type":"string"},
  "of_subject":{"type":"boolean"},"first":{"type":["string","null"]},"last":{"type":["string","null"]}}},
"VaultList":{"type":"object","required":["values"],"properties":{"values":{"type":"array","items":{"$ref":"#/components/schemas/VaultEntry"}}}},
"NewUnmask":{"type":"object","required":["token","reason"],"properties":{"token":{"type":"string","minLength":1,"maxLength":200,"pattern":"[^ \\t\\r\\n]"},
  "reason":{"type":"string","minLength":1,"maxLength":1000,"pattern":"[^ \\t\\r\\n]"}}},
"UnmaskChoice":{"type":"object","required":["decision","sha256"],"properties":{"decision":{"enum":["approve","reject"]},
  "sha256":{"$ref":"#/components/schemas/Sha256"},"reason":{"type":["string","null"],"maxLength":1000}}},
"UnmaskRequest":{"type":"object","required":["id","state","token","type","requester","reason","text","sha256","review","created","expires","shown"],"properties":{
  "id":{"type":"string"},"state":{"enum":["waiting","approved","rejected","expired","shown"]},"token":{"type":"string"},"type":{"type":"string"},
  "requester":{"type":"string"},"reason":{"type":"string"},"text":{"type":"string"},"sha256":{"$ref":"#/components/schemas/Sha256"},
  "review":{"type":"string"},"created":{"type":["string","null"]},"expires":{"type":["string","null"]},"shown":{"type":["string","null"]}}},
"UnmaskList":{"type":"object","required":["requests"],"properties":{"requests":{"type":"array","items":{"$ref":"#/components/schemas/UnmaskRequest"}}}},
"Unmasked":{"type":"object","required":["token","type","value"],"properties":{"token":{"type":"string"},"type":{"type":"string"},"value":{"type":"string"}}},
"StopList":{"type":"object","required":["stops"],"properties":{"stops":{"type":"array","items":{"$ref":"#/components/schemas/StopInfo"}}}}
})json";
}

}  // namespace heng::api
