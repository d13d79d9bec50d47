// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/process_cost.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

namespace vexfs::bench {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc{}) return std::nullopt;
  return value;
}

// The number behind "NAME:" in the files of /proc that have one value a line.
std::optional<std::uint64_t> value_of(std::string_view text, std::string_view name) {
  const std::string wanted = fmt::format("\n{}:", name);
  std::size_t at = text.starts_with(wanted.substr(1)) ? 0 : text.find(wanted);
  if (at == std::string_view::npos) return std::nullopt;
  at = text.find(':', at) + 1;
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t'))
    ++at;
  return number_in<std::uint64_t>(text.substr(at));
}

// The fields of /proc/PID/stat behind the name, which may itself contain blanks and brackets.
std::vector<std::string> stat_fields(pid_t pid) {
  const auto text = read_text(fmt::format("/proc/{}/stat", pid));
  std::vector<std::string> fields;
  if (!text || text->rfind(')') == std::string::npos) return fields;
  std::istringstream rest(text->substr(text->rfind(')') + 1));
  for (std::string field; rest >> field;)
    fields.push_back(field);
  return fields;
}

std::vector<pid_t> process_ids() {
  std::vector<pid_t> all;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored))
    if (const auto pid = number_in<pid_t>(entry.path().filename().string())) all.push_back(*pid);
  return all;
}

std::vector<pid_t> tree_of(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : process_ids()) {
    const std::vector<std::string> fields = stat_fields(pid);
    if (fields.size() > 1)
      if (const auto parent = number_in<pid_t>(fields[1])) children.emplace(*parent, pid);
  }
  std::vector<pid_t> tree{root};
  for (std::size_t index = 0; index < tree.size(); ++index) {
    const auto [begin, end] = children.equal_range(tree[index]);
    for (auto child = begin; child != end; ++child)
      tree.push_back(child->second);
  }
  return tree;
}

// A sum is there while all its parts are.
template <class Number>
void add(std::optional<Number>& sum, const std::optional<Number>& part, bool is_first) {
  if (is_first)
    sum = part;
  else if (sum && part)
    *sum += *part;
  else
    sum.reset();
}

std::optional<std::uint64_t> folder_bytes(const std::string& folder) {
  if (folder.empty()) return std::nullopt;
  std::error_code bad;
  std::uint64_t sum = 0;
  for (fs::recursive_directory_iterator entry(folder, bad), end; !bad && entry != end;
       entry.increment(bad)) {
    std::error_code gone;  // files come and go while a server runs
    if (entry->is_regular_file(gone))
      if (const auto size = entry->file_size(gone); !gone) sum += size;
  }
  if (bad) return std::nullopt;
  return sum;
}

template <class Number>
std::optional<Number> apart(const std::optional<Number>& before,
                            const std::optional<Number>& after) {
  if (!before || !after || *after < *before) return std::nullopt;
  return *after - *before;
}

}  // namespace

process_cost cost_of(pid_t root, const std::string& storage_folder) {
  process_cost whole;
  bool is_first = true;
  const double ticks_a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  for (const pid_t pid : tree_of(root)) {
    // state 0, parent 1, ..., user time 11, system time 12, ended children's 13 and 14
    const std::vector<std::string> fields = stat_fields(pid);
    if (fields.size() < 18) continue;  // it has ended meanwhile
    std::optional<double> cpu;
    const auto user = number_in<std::uint64_t>(fields[11]);
    const auto system = number_in<std::uint64_t>(fields[12]);
    // With that of children that have ended: else it would vanish with them.
    const auto ended_user = number_in<std::uint64_t>(fields[13]);
    const auto ended_system = number_in<std::uint64_t>(fields[14]);
    if (user && system && ended_user && ended_system)
      cpu = static_cast<double>(*user + *system + *ended_user + *ended_system) / ticks_a_second;
    add(whole.cpu_seconds, cpu, is_first);
    ++whole.processes;
    whole.threads += number_in<std::uint32_t>(fields[17]).value_or(0);

    const std::string status = read_text(fmt::format("/proc/{}/status", pid)).value_or("");
    const auto bytes_of = [&](std::string_view name) {
      auto kibibytes = value_of(status, name);
      if (kibibytes) *kibibytes *= 1024;
      return kibibytes;
    };
    add(whole.resident_bytes, bytes_of("VmRSS"), is_first);
    add(whole.resident_bytes_peak, bytes_of("VmHWM"), is_first);

    std::optional<std::uint64_t> switches;
    std::error_code ignored;
    for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", pid), ignored)) {
      const std::string text = read_text(task.path() / "status").value_or("");
      const auto voluntary = value_of(text, "voluntary_ctxt_switches");
      const auto forced = value_of(text, "nonvoluntary_ctxt_switches");
      if (voluntary && forced) switches = switches.value_or(0) + *voluntary + *forced;
    }
    add(whole.context_switches, switches, is_first);

    const std::string io = read_text(fmt::format("/proc/{}/io", pid)).value_or("");
    add(whole.read_bytes, value_of(io, "read_bytes"), is_first);
    add(whole.written_bytes, value_of(io, "write_bytes"), is_first);
    is_first = false;
  }
  whole.storage_bytes = folder_bytes(storage_folder);
  return whole;
}

process_cost difference(const process_cost& before, const process_cost& after) {
  process_cost made = after;
  made.cpu_seconds = apart(before.cpu_seconds, after.cpu_seconds);
  made.context_switches = apart(before.context_switches, after.context_switches);
  made.read_bytes = apart(before.read_bytes, after.read_bytes);
  made.written_bytes = apart(before.written_bytes, after.written_bytes);
  return made;
}

std::string name_of_process(pid_t pid) {
  std::string name = read_text(fmt::format("/proc/{}/comm", pid)).value_or("");
  while (name.ends_with('\n'))
    name.pop_back();
  return name.empty() ? fmt::format("process {}", pid) : fmt::format("{} (process {})", name, pid);
}

// /proc/net/tcp names a listening socket's inode; the process that has it open is searched.
std::optional<pid_t> find_listener(const target& server) {
  if (!server.is_loopback()) return std::nullopt;
  std::string inode;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::istringstream lines(read_text(table).value_or(""));
    for (std::string line; inode.empty() && std::getline(lines, line);) {
      std::istringstream words(line);
      std::vector<std::string> fields;
      for (std::string word; words >> word;)
        fields.push_back(word);
      constexpr std::string_view listening = "0A";
      if (fields.size() < 10 || fields[3] != listening) continue;
      if (fields[1].ends_with(fmt::format(":{:04X}", server.port()))) inode = fields[9];
    }
  }
  if (inode.empty()) return std::nullopt;
  const std::string wanted = fmt::format("socket:[{}]", inode);
  for (const pid_t pid : process_ids()) {
    std::error_code hidden;
    for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), hidden)) {
      std::error_code gone;
      if (fs::read_symlink(entry.path(), gone) == wanted) return pid;
    }
  }
  return std::nullopt;
}

}  // namespace vexfs::bench
