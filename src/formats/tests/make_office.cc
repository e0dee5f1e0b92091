#include "make_office.h"

#include <zip.h>

#include <cstdlib>

namespace heng::formats::testing {
namespace {

constexpr const char* head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const std::string office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";

std::string relationships(const std::string& list) {
  return std::string(head) + "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">" + list + "</Relationships>";
}
std::string relationship(const std::string& id, const std::string& type, const std::string& target) {
  return "<Relationship Id=\"" + id + "\" Type=\"" + office + type + "\" Target=\"" + target + "\"/>";
}

}  // namespace

std::string make_zip(const std::map<std::string, std::string>& parts) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(target);
  zip_t* zip = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  for (const auto& [name, content] : parts) {
    zip_file_add(zip, name.c_str(), zip_source_buffer(zip, content.data(), content.size(), 0), ZIP_FL_OVERWRITE);
  }
  if (zip_close(zip) != 0) std::abort();
  zip_source_open(target);
  zip_source_seek(target, 0, SEEK_END);
  std::string bytes(static_cast<std::size_t>(zip_source_tell(target)), '\0');
  zip_source_seek(target, 0, SEEK_SET);
  if (zip_source_read(target, bytes.data(), bytes.size()) < 0) std::abort();
  zip_source_close(target);
  zip_source_free(target);
  return bytes;
}

std::string make_docx(const std::string& body, std::map<std::string, std::string> parts) {
  std::string list;
  for (const auto& [name, content] : parts) {
    std::string type = name.substr(5, name.find_first_of("0123456789.") - 5);  // "word/styles.xml", "word/header1.xml"
    list += relationship("r_" + type, type, name.substr(5));
  }
  parts["[Content_Types].xml"] = std::string(head) + "<Types/>";
  parts["_rels/.rels"] = relationships(relationship("r1", "officeDocument", "word/document.xml"));
  parts["word/_rels/document.xml.rels"] = relationships(list);
  parts["word/document.xml"] = std::string(head) + "<w:document xmlns:w=\"w\" xmlns:r=\"r\" xmlns:m=\"m\" xmlns:mc=\"mc\"><w:body>" + body + "</w:body></w:document>";
  return make_zip(parts);
}

std::string make_xlsx(const std::string& sheet, const std::string& shared_strings, const std::string& styles) {
  std::string list = relationship("r1", "worksheet", "worksheets/sheet1.xml");
  std::map<std::string, std::string> parts;
  if (!shared_strings.empty()) {
    list += relationship("r2", "sharedStrings", "sharedStrings.xml");
    parts["xl/sharedStrings.xml"] = std::string(head) + "<sst>" + shared_strings + "</sst>";
  }
  if (!styles.empty()) {
    list += relationship("r3", "styles", "styles.xml");
    parts["xl/styles.xml"] = std::string(head) + "<styleSheet>" + styles + "</styleSheet>";
  }
  parts["[Content_Types].xml"] = std::string(head) + "<Types/>";
  parts["_rels/.rels"] = relationships(relationship("r1", "officeDocument", "xl/workbook.xml"));
  parts["xl/_rels/workbook.xml.rels"] = relationships(list);
  parts["xl/workbook.xml"] = std::string(head) + "<workbook xmlns:r=\"r\"><sheets><sheet name=\"Fees\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>";
  parts["xl/worksheets/sheet1.xml"] = std::string(head) + "<worksheet>" + sheet + "</worksheet>";
  return make_zip(parts);
}

std::string make_pptx(const std::string& shapes) {
  std::map<std::string, std::string> parts;
  parts["[Content_Types].xml"] = std::string(head) + "<Types/>";
  parts["_rels/.rels"] = relationships(relationship("r1", "officeDocument", "ppt/presentation.xml"));
  parts["ppt/_rels/presentation.xml.rels"] = relationships(relationship("r9", "slide", "slides/slide1.xml"));
  parts["ppt/presentation.xml"] = std::string(head) + "<p:presentation xmlns:p=\"p\" xmlns:r=\"r\"><p:sldIdLst><p:sldId id=\"256\" r:id=\"r9\"/></p:sldIdLst></p:presentation>";
  parts["ppt/slides/slide1.xml"] = std::string(head) + "<p:sld xmlns:p=\"p\" xmlns:a=\"a\"><p:cSld><p:spTree>" + shapes + "</p:spTree></p:cSld></p:sld>";
  return make_zip(parts);
}

}  // namespace heng::formats::testing
