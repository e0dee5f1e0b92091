#include "heng/console/assets.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "table.h"

namespace heng::console {
namespace {

TEST(Assets, FindsThePageAndWhatItRefersTo) {
  const Asset* page = find("/");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->media_type, "text/html; charset=utf-8");
  EXPECT_FALSE(page->immutable);
  EXPECT_EQ(find("/index.html"), page);
  const std::string html(page->body);
  const std::regex reference(R"re((?:src|href)="(/[^"]+)")re");
  int references = 0;
  for (auto at = std::sregex_iterator(html.begin(), html.end(), reference); at != std::sregex_iterator(); ++at, ++references) {
    EXPECT_NE(find((*at)[1].str()), nullptr) << (*at)[1].str();
  }
  EXPECT_GE(references, 3);  // icon, script, styles
}

TEST(Assets, HasNoScriptInThePage) {
  const std::string html(find("/")->body);
  EXPECT_FALSE(std::regex_search(html, std::regex(R"re(<script(?![^>]*\ssrc=)|<style|\son\w+=|javascript:)re")));
  EXPECT_EQ(content_security_policy().find("unsafe-inline"), std::string_view::npos);
}

TEST(Assets, IsSortedAndComplete) {
  std::string_view previous;
  for (const Asset& asset : table()) {
    EXPECT_LT(previous, asset.path);
    previous = asset.path;
    EXPECT_FALSE(asset.body.empty()) << asset.path;
    EXPECT_EQ(asset.etag.size(), 34u) << asset.path;  // 32 hexadecimal digits in quotes
    EXPECT_FALSE(asset.media_type.empty()) << asset.path;
    EXPECT_EQ(find(asset.path), &asset);
    if (!asset.gzip.empty()) {
      EXPECT_LT(asset.gzip.size(), asset.body.size()) << asset.path;
      EXPECT_EQ(asset.gzip.substr(0, 2), "\x1f\x8b") << asset.path;
    }
  }
}

TEST(Assets, CarriesWhatPdfPagesNeed) {
  EXPECT_NE(find("/pdf/cmaps/UniGB-UCS2-H.bcmap"), nullptr);
  EXPECT_NE(find("/pdf/standard_fonts/LiberationSans-Regular.ttf"), nullptr);
  const Asset* decoder = find("/pdf/wasm/openjpeg.wasm");
  ASSERT_NE(decoder, nullptr);
  EXPECT_EQ(decoder->media_type, "application/wasm");
}

TEST(Assets, KnowsNothingElse) {
  for (const char* path : {"", "/index", "index.html", "/assets/", "/../etc/passwd", "//", "/pdf/cmaps"}) {
    EXPECT_EQ(find(path), nullptr) << path;
  }
}

}  // namespace
}  // namespace heng::console
