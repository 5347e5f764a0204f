import Control
public enum Sluice { public static func run(configurationPath: String) -> Int32 { Server.run(configurationPath: configurationPath) } }
