#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "charset.h"
#include "heng/base/text.h"
#include "heng/formats/reader.h"

namespace heng::formats {
namespace {

std::string extension(const std::string& name) {
  std::size_t dot = name.find_last_of("./\\");
  if (dot == std::string::npos || name[dot] != '.') return "";
  return text::lower(text::replace_invalid_utf8(name.substr(dot + 1)));
}

struct Known {
  std::string_view signature, what, advice;
};
constexpr std::array known_formats = {
    Known{"{\\rtf", "an RTF file", "save it as .docx"},
    Known{"\x89PNG", "a picture", "ingest a PDF with a text layer"},
    Known{"\xFF\xD8\xFF", "a picture", "ingest a PDF with a text layer"},
    Known{"GIF8", "a picture", "ingest a PDF with a text layer"},
    Known{"II*", "a picture", "ingest a PDF with a text layer"},
    Known{"Rar!", "a RAR archive", "unpack it and ingest its files"},
    Known{"7z\xBC\xAF", "a 7-Zip archive", "unpack it and ingest its files"},
    Known{"\x1F\x8B", "a gzip archive", "unpack it and ingest its files"},
    Known{"\x7F" "ELF", "a program", "ingest documents only"},
    Known{"MZ", "a program", "ingest documents only"},
    Known{"%!PS", "a PostScript file", "convert it to PDF"},
    Known{"ID3", "a sound file", "ingest a transcript"},
    Known{"RIFF", "a sound or video file", "ingest a transcript"},
};

Error unsupported(std::string_view what, std::string_view advice) {
  return Error(ErrorCode::unsupported, fmt::format("this is {}, which is not supported: {}", what, advice));
}

Error ole_container(std::string_view bytes) {
  auto has = [&](std::string_view name) {
    std::string wide;
    for (char c : name) wide += c, wide += '\0';
    return bytes.find(wide) != std::string_view::npos;
  };
  if (has("EncryptedPackage")) {
    return unsupported("an Office file protected by a password", "save it without a password and ingest it again");
  }
  if (has("WordDocument")) return unsupported("a Word 97-2003 file (.doc)", "save it as .docx");
  if (has("Workbook") || has("Book")) return unsupported("an Excel 97-2003 file (.xls)", "save it as .xlsx");
  if (has("PowerPoint Document")) return unsupported("a PowerPoint 97-2003 file (.ppt)", "save it as .pptx");
  if (has("__substg1.0_") || has("__properties_version1.0")) return unsupported("an Outlook message (.msg)", "save it as .eml");
  return unsupported("a file of an old Office format", "save it as .docx, .xlsx or .pptx");
}

// The names of an archive's parts stand uncompressed in it.
Result<Format> zip_container(std::string_view bytes) {
  auto has = [&](std::string_view name) { return bytes.find(name) != std::string_view::npos; };
  if (has("word/") && has("[Content_Types].xml")) return Format::docx;
  if (has("xl/") && has("[Content_Types].xml")) return Format::xlsx;
  if (has("ppt/") && has("[Content_Types].xml")) return Format::pptx;
  if (has("xl/workbook") || has("xl/worksheets")) return Format::xlsx;
  if (has("word/document")) return Format::docx;
  if (has("ppt/presentation")) return Format::pptx;
  if (has("application/vnd.oasis.opendocument.text")) return unsupported("an OpenDocument text", "save it as .docx");
  if (has("application/vnd.oasis.opendocument.spreadsheet")) return unsupported("an OpenDocument sheet", "save it as .xlsx");
  if (has("application/vnd.oasis.opendocument")) return unsupported("an OpenDocument file", "save it as .docx, .xlsx or .pptx");
  if (has("application/epub+zip")) return unsupported("an e-book (EPUB)", "save it as PDF or HTML");
  if (has("[Content_Types].xml")) return Error(ErrorCode::malformed_input, "the Office file is damaged: save it again from its program");
  return unsupported("a ZIP archive", "unpack it and ingest its files");
}

bool looks_like_html(const std::string& start) {
  for (std::string_view mark : {"<!doctype html", "<html", "<head", "<body", "<table", "<div", "<meta ", "<title"}) {
    if (start.find(mark) != std::string::npos) return true;
  }
  return false;
}

// "Name: value" lines, of which some are known from mail.
bool looks_like_email(std::string_view text) {
  int known = 0, lines = 0;
  for (std::string_view line : text::split(text.substr(0, 16384), '\n')) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) break;
    if (++lines > 200) break;
    if (line[0] == ' ' || line[0] == '\t') continue;
    if (lines == 1 && line.starts_with("From ")) continue;
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || line.substr(0, colon).find(' ') != std::string_view::npos) return false;
    for (std::string_view field : {"from", "to", "subject", "date", "message-id", "mime-version", "received", "return-path",
                                   "delivered-to", "content-type", "x-mailer", "cc"}) {
      known += text::equals_ci(line.substr(0, colon), field);
    }
  }
  return known >= 3;
}

bool looks_like_markdown(std::string_view text) {
  int marks = 0;
  std::size_t lines = 0;
  for (std::string_view line : text::split(text.substr(0, 16384), '\n')) {
    if (++lines > 300) break;
    marks += line.starts_with("# ") || line.starts_with("## ") || line.starts_with("```") || line.starts_with("|--") || line.starts_with("| --");
  }
  return marks >= 2;
}

Result<Format> text_format(const std::string& name, std::string_view bytes) {
  std::string text = to_utf8(bytes.substr(0, 64 << 10), "");
  std::string_view begin = text::trim(text);
  std::string start = text::lower(begin.substr(0, text::complete_utf8_prefix(begin.substr(0, 2048))));
  std::string type = extension(name);
  if (type == "md" || type == "markdown") return Format::markdown;
  if (type == "csv" || type == "tsv" || type == "tab") return Format::csv;
  if (type == "eml" || type == "mht" || looks_like_email(text)) return Format::email;
  bool tag_first = !start.empty() && start[0] == '<';
  if (type == "htm" || type == "html" || type == "xhtml" || (tag_first && looks_like_html(start))) return Format::html;
  if (tag_first && start.starts_with("<?xml")) {
    return type == "txt" ? Result<Format>(Format::text) : unsupported("an XML file", "save it as HTML, .docx or plain text");
  }
  if (type != "txt" && looks_like_markdown(text)) return Format::markdown;
  return Format::text;
}

}  // namespace

bool is_pdf(std::string_view bytes) {
  std::size_t at = bytes.substr(0, 1024).find("%PDF-");
  return at != std::string_view::npos && !bytes.starts_with("PK\3\4") && (at == 0 || looks_binary(bytes) || at < 64);
}

Result<Format> detect(const std::string& name, std::string_view bytes) {
  if (bytes.empty()) return Error(ErrorCode::malformed_input, "the document is empty (0 bytes); check that it was saved");
  if (is_pdf(bytes)) return Format::pdf;
  if (bytes.starts_with("PK\3\4")) return zip_container(bytes);
  if (bytes.starts_with("PK\5\6")) return Error(ErrorCode::malformed_input, "the archive is empty: save the document again");
  if (bytes.starts_with("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")) return ole_container(bytes);
  for (const Known& known : known_formats) {
    if (bytes.starts_with(known.signature) && (looks_binary(bytes) || known.signature[0] == '{' || known.signature[0] == '%')) {
      return unsupported(known.what, known.advice);
    }
  }
  if (looks_binary(bytes)) {
    std::string type = extension(name);
    if (type == "docx" || type == "xlsx" || type == "pptx" || type == "pdf") {
      return Error(ErrorCode::malformed_input, fmt::format("the file is named .{} but its content is not: fetch or save it again", type));
    }
    return unsupported("a binary file of unknown format", "save it as PDF, .docx, .xlsx, .pptx, HTML or text");
  }
  return text_format(name, bytes);
}

}  // namespace heng::formats
