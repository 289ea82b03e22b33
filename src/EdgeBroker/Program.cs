using EdgeBroker;
using EdgeBroker.Verbs;

return CommandLine.Run(args, Surroundings.OfProcess());
