#include "caller.h"

#include <cstdlib>

namespace heng::app {

Result<Principal> caller(Assembly& assembly) {
  const char* key = std::getenv("HENG_KEY");
  if (!key || !*key) return assembly.local_principal();
  auto principal = HENG_TRY(assembly.identity().authenticate(key));
  principal.purpose = "command_line";
  return principal;
}

}  // namespace heng::app
