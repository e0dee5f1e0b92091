#include "heng/base/html.h"

#include <gtest/gtest.h>

namespace heng::text {
namespace {

TEST(EscapeHtml, LeavesNothingThatOpensATagOrEndsAnAttribute) {
  EXPECT_EQ(escape_html("<img src=x onerror='a'>&\"贵州茅台\""), "&lt;img src=x onerror=&#39;a&#39;&gt;&amp;&quot;贵州茅台&quot;");
  EXPECT_EQ(escape_html(""), "");
}

}  // namespace
}  // namespace heng::text
