namespace EdgeBroker.Architecture.Tests;

/// <summary>The arrows between projects are the ones the design has, and no others.</summary>
public sealed class LayeringTests
{
    /// <summary>
    /// What each project may import. The core speaks MQTT's vocabulary and never opens a socket; adapters stand around it and never import each other.
    /// A new project takes its place here, with its reasons in its DESIGN.md.
    /// </summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["EdgeBroker.Protocol"] = [],
        ["EdgeBroker.Transport"] = [],
        ["EdgeBroker.Core"] = ["EdgeBroker.Protocol"],
        ["EdgeBroker.Client"] = ["EdgeBroker.Protocol"],
        ["EdgeBroker.Mqtt"] = ["EdgeBroker.Core", "EdgeBroker.Transport"],
        ["EdgeBroker.Storage"] = ["EdgeBroker.Core"],
        ["EdgeBroker.Cluster"] = ["EdgeBroker.Core", "EdgeBroker.Transport"],
        ["EdgeBroker.Bridge"] = ["EdgeBroker.Core", "EdgeBroker.Client"],
        ["EdgeBroker.Coap"] = ["EdgeBroker.Core", "EdgeBroker.Transport"],
        ["EdgeBroker.Http"] = ["EdgeBroker.Core", "EdgeBroker.Mqtt"],
        ["EdgeBroker.Security"] = ["EdgeBroker.Core"],
        ["EdgeBroker.Webhooks"] = ["EdgeBroker.Core"],
        ["EdgeBroker.Telemetry"] = ["EdgeBroker.Core"],
        ["EdgeBroker.Sensors"] = ["EdgeBroker.Core"],
        ["EdgeBroker.Cli"] = ["EdgeBroker.Client", "EdgeBroker.Security", "EdgeBroker.Storage", "EdgeBroker.Transport"],
        ["EdgeBroker.Bench"] = ["EdgeBroker.Cli", "EdgeBroker.Protocol", "EdgeBroker.Transport"],
    };

    private const string Executable = "EdgeBroker";

    [Fact]
    public void The_arrows_are_those_of_the_design()
    {
        var broken = new List<string>();
        foreach (Project project in Repository.Products.Where(p => p.Name != Executable))
        {
            if (!Allowed.TryGetValue(project.Name, out string[]? allowed)) broken.Add($"{project.Name} has no place in the design");
            else broken.AddRange(project.References.Except(allowed).Select(r => $"{project.Name} must not import {r}"));
        }

        Rule.NothingBreaks(broken);
    }

    [Fact]
    public void The_executable_reaches_every_project()
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var pending = new Stack<string>([Executable]);
        while (pending.TryPop(out string? name))
        {
            if (reached.Add(name)) Repository.Products.Single(p => p.Name == name).References.ToList().ForEach(pending.Push);
        }

        Rule.NothingBreaks(Repository.Products.Select(p => p.Name).Except(reached));
    }

    [Fact]
    public void Nothing_imports_the_executable_or_a_test()
    {
        string[] products = [.. Repository.Products.Select(p => p.Name)];
        Rule.NothingBreaks(Repository.Products.SelectMany(p => p.References.Where(r => r == Executable || !products.Contains(r))));
    }

    [Fact]
    public void The_codec_needs_no_package() =>
        Rule.NothingBreaks(Repository.Products.Single(p => p.Name == "EdgeBroker.Protocol").Packages);

    [Fact]
    public void Only_the_HTTP_adapter_knows_the_web_framework() =>
        Rule.NothingBreaks(Repository.Products.Where(p => p.Frameworks.Count > 0 && p.Name is not ("EdgeBroker.Http" or Executable)));

    [Fact]
    public void The_solution_holds_every_project()
    {
        string solution = File.ReadAllText(Repository.PathOf("EdgeBroker.sln")).Replace('\\', '/');
        Rule.NothingBreaks(Repository.Projects.Where(p => !solution.Contains(Repository.Relative(p.File), StringComparison.Ordinal)));
    }
}
