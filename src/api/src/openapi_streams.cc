#include "openapi_schemas.h"

namespace heng::api {

// Paths and schemas of streams, alerts and briefs. The answers for refusals are added to each operation by openapi.cc.
const char* openapi_stream_paths() {
  return R"json({
"/v1/streams":{"get":{"operationId":"listStreams","summary":"Streams of the tenant with their counts","tags":["streams"],
  "responses":{"200":{"description":"The streams.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/StreamList"}}}}}}},
"/v1/streams/{name}":{"post":{"operationId":"pushMessages","summary":"Put messages into a stream: cleaned, told apart from copies, labelled, stored, alerted on",
  "description":"Everything or, on an error, nothing; a message that cannot be read is rejected alone. At most 10,000 messages and 8 MiB.","tags":["streams"],
  "parameters":[{"name":"name","in":"path","required":true,"schema":{"type":"string","pattern":"^[A-Za-z0-9_-]{1,64}$"}},
   {"name":"task","in":"query","required":false,"description":"Tasks to label with, separated by commas; default: those of streams.toml.","schema":{"type":"string","maxLength":2000,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}}],
  "requestBody":{"required":true,"content":{"application/json":{"schema":{"description":"An array of StreamMessage, {\"items\":[…]} or one StreamMessage; what is none is counted as rejected."}},
   "application/x-ndjson":{"schema":{"type":"string","minLength":1,"pattern":"[^ \\t\\r\\n]"}}}},
  "responses":{"200":{"description":"What became of them.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/PushReport"}}}}}}},
"/v1/items":{"get":{"operationId":"listItems","summary":"Stored messages with labels, events and entities, newest first","tags":["streams"],
  "parameters":[{"name":"stream","in":"query","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},
   {"name":"company","in":"query","description":"A name, alias or code.","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},
   {"name":"task","in":"query","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},{"name":"label","in":"query","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},
   {"name":"from","in":"query","schema":{"anyOf":[{"type":"string","format":"date-time"},{"type":"string","format":"date"}]}},{"name":"to","in":"query","schema":{"anyOf":[{"type":"string","format":"date-time"},{"type":"string","format":"date"}]}},
   {"name":"before","in":"query","schema":{"type":"integer","minimum":0,"maximum":9007199254740991}},
   {"name":"after","in":"query","description":"Only later ones, oldest first.","schema":{"type":"integer","minimum":0,"maximum":9007199254740991}},
   {"name":"duplicates","in":"query","description":"Near duplicates too.","schema":{"type":"boolean"}},
   {"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":500,"default":50}}],
  "responses":{"200":{"description":"The items.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/StreamItemList"}}}}}}},
"/v1/alerts":{"get":{"operationId":"listAlerts","summary":"Alerts, newest first","tags":["streams"],
  "parameters":[{"name":"state","in":"query","schema":{"enum":["open","acknowledged","all"]}},{"name":"severity","in":"query","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},
   {"name":"rule","in":"query","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},{"name":"stream","in":"query","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},
   {"name":"key","in":"query","description":"What was counted by: a company's name or code.","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},
   {"name":"before","in":"query","schema":{"type":"integer","minimum":0,"maximum":9007199254740991}},
   {"name":"after","in":"query","description":"Only later ones, oldest first.","schema":{"type":"integer","minimum":0,"maximum":9007199254740991}},
   {"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":500,"default":50}}],
  "responses":{"200":{"description":"The alerts.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/AlertList"}}}}}}},
"/v1/alerts/rules":{"get":{"operationId":"listAlertRules","summary":"The rules in force, and why a changed file was refused","tags":["streams"],
  "responses":{"200":{"description":"The rules.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/AlertRules"}}}}}}},
"/v1/alerts/stream":{"get":{"operationId":"followAlerts","summary":"Alerts as they are raised (server-sent events `alert`)","tags":["streams"],
  "parameters":[{"name":"after","in":"query","description":"Begin behind this id; default: Last-Event-ID, else only new ones.","schema":{"type":"integer","minimum":0,"maximum":9007199254740991}}],
  "responses":{"200":{"description":"Events until the client leaves.","content":{"text/event-stream":{"schema":{"type":"object","properties":{"event":{"type":"string"},"data":{"type":"string"}}}}}}}}},
"/v1/alerts/{id}/ack":{"post":{"operationId":"acknowledgeAlert","summary":"Acknowledge an alert; who, when and why are recorded","tags":["streams"],
  "parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer","minimum":0,"maximum":9007199254740991}}],
  "requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/AlertNote"}}}},
  "responses":{"200":{"description":"The alert.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Alert"}}}}}}},
"/v1/brief":{"get":{"operationId":"brief","summary":"A brief of a window: quoted sentences, counted numbers, tone, events, comparison","tags":["streams"],
  "parameters":[{"name":"company","in":"query","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},{"name":"stream","in":"query","schema":{"type":"string","maxLength":256,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},
   {"name":"compare","in":"query","description":"Names separated by commas.","schema":{"type":"string","maxLength":2000,"pattern":"^[^\\x00-\\x1f\\x7f]*$"}},
   {"name":"from","in":"query","description":"Default: a day before `to`.","schema":{"anyOf":[{"type":"string","format":"date-time"},{"type":"string","format":"date"}]}},
   {"name":"to","in":"query","description":"Default: now.","schema":{"anyOf":[{"type":"string","format":"date-time"},{"type":"string","format":"date"}]}},
   {"name":"format","in":"query","schema":{"enum":["json","html","text"]}},{"name":"lang","in":"query","schema":{"enum":["zh","en"]}}],
  "responses":{"200":{"description":"The brief.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Brief"}},
   "text/html":{"schema":{"type":"string"}},"text/plain":{"schema":{"type":"string"}}}}}}}
})json";
}

const char* openapi_stream_schemas() {
  return R"json({
"StreamMessage":{"type":"object","description":"One message of a push.","properties":{"text":{"type":"string","description":"Also `content`, `body`; with `title`."},"title":{"type":["string","null"]},"id":{"type":["string","integer","null"]},
  "source":{"type":["string","null"]},"published":{"type":["string","integer","null"]},"event_time":{"type":["string","integer","null"]}}},
"PushReport":{"type":"object","required":["accepted","duplicates","near_duplicates","rejected","alerts","errors"],"properties":{"accepted":{"type":"integer"},"duplicates":{"type":"integer"},
  "near_duplicates":{"type":"integer"},"rejected":{"type":"integer"},"alerts":{"type":"integer"},"errors":{"type":"array","items":{"type":"object","required":["index","message"],
  "properties":{"index":{"type":"integer"},"message":{"type":"string"}}}}}},
"StreamList":{"type":"object","required":["streams"],"properties":{"streams":{"type":"array","items":{"type":"object","required":["name","items","duplicates","near_duplicates","rejected","last_ingest","tasks"],
  "properties":{"name":{"type":"string"},"items":{"type":"integer"},"duplicates":{"type":"integer"},"near_duplicates":{"type":"integer"},"rejected":{"type":"integer"},"last_ingest":{"type":["string","null"]},
  "tasks":{"type":"array","items":{"type":"string"}}}}}}},
"StreamItem":{"type":"object","required":["number","stream","id","source","sha256","event_time","published","ingested","duplicate_of","copies","near_copies","labels","events","entities","errors","text"],
  "properties":{"number":{"type":"integer"},"stream":{"type":"string"},"id":{"type":"string"},"source":{"type":"string"},"sha256":{"$ref":"#/components/schemas/Sha256"},"event_time":{"type":["string","null"]},
  "published":{"type":["string","null"]},"ingested":{"type":["string","null"]},"duplicate_of":{"type":["integer","null"]},"similarity":{"type":["number","null"]},"copies":{"type":"integer"},"near_copies":{"type":"integer"},
  "labels":{"type":"array","items":{"type":"object","required":["task","label","confidence","tier"]}},"events":{"type":"array","items":{"type":"object","required":["type","confidence","mentions"]}},
  "entities":{"type":"array","items":{"type":"object","required":["type","word","id","name"]}},"errors":{"type":"array","items":{"type":"string"}},"text":{"type":"string"}}},
"StreamItemList":{"type":"object","required":["items"],"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/StreamItem"}}}},
"Alert":{"type":"object","required":["id","rule","name","severity","owner","stream","key","key_id","raised","window_from","window_to","count","items","suppressed","text","ingested","state","acknowledged_by","acknowledged","note"],
  "properties":{"id":{"type":"integer"},"rule":{"type":"string"},"name":{"type":"object","required":["zh","en"]},"severity":{"enum":["info","low","medium","high","critical"]},"owner":{"type":"string"},"stream":{"type":"string"},
  "key":{"type":"string"},"key_id":{"type":"string"},"raised":{"type":["string","null"]},"window_from":{"type":["string","null"]},"window_to":{"type":["string","null"]},"count":{"type":"integer"},
  "items":{"type":"array","items":{"type":"integer"}},"suppressed":{"type":"integer"},"text":{"type":"string"},"ingested":{"type":["string","null"]},"state":{"enum":["open","acknowledged"]},"acknowledged_by":{"type":"string"},
  "acknowledged":{"type":["string","null"]},"note":{"type":"string"}}},
"AlertList":{"type":"object","required":["alerts"],"properties":{"alerts":{"type":"array","items":{"$ref":"#/components/schemas/Alert"}}}},
"AlertNote":{"type":"object","required":["note"],"properties":{"note":{"type":"string","minLength":1,"maxLength":1000,"pattern":"[^ \\t\\r\\n]"}}},
"AlertRules":{"type":"object","required":["rules","loaded","error"],"properties":{"rules":{"type":"array","items":{"type":"object","required":["id","name","severity","owner","condition"]}},"loaded":{"type":["string","null"]},
  "error":{"type":["string","null"]}}},
"Brief":{"type":"object","required":["from","to","headlines","counts","tone","events","comparison","items","label","cut"],"properties":{"from":{"type":"string"},"to":{"type":"string"},"cut":{"type":"boolean"},
  "headlines":{"type":"array","items":{"type":"object","required":["sentence","cites","items","reports"]}},"counts":{"type":"array","items":{"type":"object","required":["id","name","value","items"]}},
  "tone":{"type":"array","items":{"type":"object","required":["from","positive","neutral","negative","items"]}},"events":{"type":"array","items":{"type":"object"}},"comparison":{"type":"array","items":{"type":"object"}},
  "items":{"type":"array","items":{"type":"object"}},"label":{"type":"object"}}}
})json";
}

}  // namespace heng::api
