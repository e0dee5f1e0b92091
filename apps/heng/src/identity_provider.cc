#include "identity_provider.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "heng/base/text.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_secret_bytes = 4096;

Result<std::string> read_secret(const fs::path& file) {
  std::error_code failed;
  const auto rights = fs::status(file, failed).permissions();
  std::ifstream in(file, std::ios::binary);
  if (failed || !in) return Error(ErrorCode::not_found, fmt::format("oidc.client_secret_file: cannot read {}", file.string()), "client_secret_file");
  if ((rights & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none)
    return Error(ErrorCode::permission_denied, fmt::format("others may read {}: run chmod 600 {}", file.string(), file.string()), "client_secret_file");
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::string out(text::trim(bytes));
  if (out.empty() || out.size() > most_secret_bytes) return Error(ErrorCode::invalid_argument, fmt::format("{} must hold one secret of 1 to {} bytes", file.string(), most_secret_bytes), "client_secret_file");
  return out;
}

}  // namespace

Result<std::unique_ptr<SignIn>> make_sign_in(const Config& config, Users& users) {
  if (!config.oidc) return std::unique_ptr<SignIn>();
  oidc::Settings settings = *config.oidc;
  if (!config.oidc_secret.empty()) settings.client_secret = HENG_TRY(read_secret(config.oidc_secret));
  auto fetch = oidc::http_fetcher(settings.ca_file);
  return std::unique_ptr<SignIn>(HENG_TRY(oidc::OidcSignIn::create(std::move(settings), users, std::move(fetch))));
}

}  // namespace heng::app
