// Replays corpus files through a fuzz target: the plain main that keeps targets built and run under GCC.
// usage: fuzz_NAME FILE-OR-FOLDER…; each file is also replayed truncated and with single bytes changed.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

void replay(const std::string& bytes) {
  run(bytes);
  const std::size_t cuts = std::min<std::size_t>(bytes.size(), 64);
  for (std::size_t i = 0; i < cuts; ++i) run(bytes.substr(0, bytes.size() * i / cuts));
  std::uint32_t state = 2463534242u;
  for (int i = 0; i < 64 && !bytes.empty(); ++i) {
    std::string changed = bytes;
    for (int n = 0; n <= i % 4; ++n) {
      state ^= state << 13, state ^= state >> 17, state ^= state << 5;
      changed[state % changed.size()] = static_cast<char>(state >> 24);
    }
    run(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i]))
        if (entry.is_regular_file()) files.push_back(entry.path());
    } else {
      files.emplace_back(argv[i]);
    }
  }
  std::sort(files.begin(), files.end());
  run("");
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    replay(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  std::printf("replayed %zu files\n", files.size());
  return files.empty() ? 1 : 0;
}
