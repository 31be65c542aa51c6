#include "harness/core/event.h"

#include <array>
#include <utility>

namespace forkproof {
namespace {

template <std::size_t Index>
AnyHappening move_from(void* what) {
  using Kind = std::variant_alternative_t<Index, AnyHappening>;
  return AnyHappening(std::in_place_index<Index>, std::move(*static_cast<Kind*>(what)));
}

constexpr auto movers = []<std::size_t... Index>(std::index_sequence<Index...>) {
  return std::array{&move_from<Index>...};
}(std::make_index_sequence<std::variant_size_v<AnyHappening>>());

}  // namespace

Happening::Happening() = default;
Happening::Happening(std::size_t index, void* what) : AnyHappening(movers[index](what)) {}
Happening::Happening(const Happening& other) = default;
Happening::Happening(Happening&& other) noexcept = default;
Happening& Happening::operator=(const Happening& other) = default;
Happening& Happening::operator=(Happening&& other) noexcept = default;
Happening::~Happening() = default;

std::string_view kind_of(const Happening& what) {
  return std::visit([](const auto& event) { return event.kind; }, what);
}

}  // namespace forkproof
