#include "openapi_schemas.h"

namespace heng::api {

// Paths and schemas of signing in at an identity provider and of the policies in force. The answers for refusals are added by openapi.cc.
const char* openapi_access_paths() {
  return R"json({
"/v1/oidc":{"get":{"operationId":"describeSignIn","summary":"Whether people sign in at an identity provider, and what it is called","tags":["account"],"security":[],
  "responses":{"200":{"description":"The provider's name.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/SignInDescription"}}}}}}},
"/v1/oidc/start":{"post":{"operationId":"startSignIn","summary":"Where the browser goes to sign in","tags":["account"],"security":[],
  "description":"OpenID Connect, authorization code flow with PKCE. `browser` is a secret that stays in the browser and goes into `finishSignIn`.",
  "responses":{"200":{"description":"The provider's address.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/SignInStart"}}}}}}},
"/v1/oidc/finish":{"post":{"operationId":"finishSignIn","summary":"A session for what the identity provider's answer carries","tags":["account"],"security":[],
  "requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/SignInReturn"}}}},
  "responses":{"200":{"description":"The session.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Session"}}}}}}},
"/v1/oidc/logout":{"get":{"operationId":"providerLogout","summary":"Where the browser ends its session at the identity provider too","tags":["account"],"security":[],
  "responses":{"200":{"description":"The address; null: nowhere.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ProviderLogout"}}}}}}},
"/v1/policies":{"get":{"operationId":"listPolicies","summary":"The policies in force with their rules, clauses and tests","tags":["guard"],
  "responses":{"200":{"description":"The policies.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/PolicyList"}}}}}}}
})json";
}

const char* openapi_access_schemas() {
  return R"json({
"SignInDescription":{"type":"object","required":["enabled","name"],"properties":{"enabled":{"type":"boolean"},"name":{"type":["string","null"]}}},
"SignInStart":{"type":"object","required":["url","browser"],"properties":{"url":{"type":"string"},"browser":{"type":"string"}}},
"SignInReturn":{"type":"object","required":["state","browser"],"properties":{"state":{"type":"string","minLength":1,"maxLength":256,"pattern":"[^ \\t\\r\\n]"},
  "browser":{"type":"string","minLength":1,"maxLength":256,"pattern":"[^ \\t\\r\\n]"},"code":{"type":["string","null"],"maxLength":2048},
  "iss":{"type":["string","null"],"maxLength":2048},"error":{"type":["string","null"],"maxLength":256}}},
"ProviderLogout":{"type":"object","required":["url"],"properties":{"url":{"type":["string","null"]}}},
"PolicyRule":{"type":"object","required":["id","kind","title","clause","action","violates","allows","line"],"properties":{"id":{"type":"string"},"kind":{"type":"string"},
  "title":{"type":"string"},"clause":{"type":"string"},"action":{"type":"string"},"violates":{"type":"array","items":{"type":"string"}},
  "allows":{"type":"array","items":{"type":"string"}},"line":{"type":"integer"}}},
"Policy":{"type":"object","required":["kind","id","version","owner","clause","effective_from","effective_until","sha256","file","rules"],"properties":{"kind":{"type":"string"},
  "id":{"type":"string"},"version":{"type":"string"},"owner":{"type":"string"},"clause":{"type":"string"},"effective_from":{"type":"string"},
  "effective_until":{"type":["string","null"]},"sha256":{"$ref":"#/components/schemas/Sha256"},"file":{"type":["string","null"]},
  "rules":{"type":"array","items":{"$ref":"#/components/schemas/PolicyRule"}}}},
"PolicyList":{"type":"object","required":["policies"],"properties":{"policies":{"type":"array","items":{"$ref":"#/components/schemas/Policy"}}}}
})json";
}

}  // namespace heng::api
