import Sluice

Sluice.main(plugins: [TokenService.self, PromptLengthRouter.self, PlainWords.self])
