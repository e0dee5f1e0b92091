#pragma once

#include <string_view>

namespace heng::console {

/// A file of the console as the browser asks for it. Lives in the program's read-only data.
struct Asset {
  std::string_view path;        ///< Of the URL, from "/": "/assets/index-Ab12.js". "/" is the page itself.
  std::string_view media_type;  ///< "text/html; charset=utf-8".
  std::string_view etag;        ///< Quoted, of the sha256 of `body`: a strong validator.
  std::string_view body;
  std::string_view gzip;        ///< `body` compressed; empty where that saves nothing.
  bool immutable;               ///< Its name holds a hash of its contents: it may be cached for ever.
};

/// The file for a URL path without its query, or nullptr; "/index.html" is "/". Thread-safe; never allocates.
const Asset* find(std::string_view path);

/// Value of the Content-Security-Policy header to send with every file of the console: nothing from elsewhere, no inline
/// script, no evaluated text. ('wasm-unsafe-eval' lets PDF.js compile its own image decoders.)
std::string_view content_security_policy();

}  // namespace heng::console
