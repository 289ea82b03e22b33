using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EdgeBroker.Benchmarks.Counting;

/// <summary>A class with all its parts.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Fields">What an instance holds: fields, properties that store, parameters of the class.</param>
/// <param name="Lines">Lines of its parts.</param>
/// <param name="Files">Its parts.</param>
internal sealed record ClassCount(string Name, int Fields, int Lines, int Files);

/// <summary>The source below src/, parsed (Roslyn comes with BenchmarkDotNet) and compiled as one.</summary>
internal sealed class ProductSource
{
    /// <summary>Where constants steer what is done when, by how files are or were called.</summary>
    private static readonly string[] Steering =
    [
        "ReceiveCoalescing", "ReactorLoad", "Reactor", "MatchCache", "FilterChanges", "FilterShape", "FilterGenerations", "FilterPattern", "PublishBurst",
        "BurstReceivers",
        "MessageBatch", "PublishEncoder", "Broker.Burst", "Broker.Deliver", "InflightWindow", "ScheduledCollector", "HeapTrim", "SqliteJournal.Commit",
        "GroupCommitSchedule", "CommitLoop",
        "StoreMaintenance",
    ];

    public ProductSource(string root)
    {
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        Trees = [.. FilesIn(Path.Combine(root, "src")).Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), options, file))];
        // Of what packages hold nothing is counted, so their assemblies are not needed.
        string[] platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(':');
        IEnumerable<MetadataReference> references = platform.Where(path => !Path.GetFileName(path).StartsWith("EdgeBroker.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        Compilation = CSharpCompilation.Create("product", Trees, references, new CSharpCompilationOptions(OutputKind.ConsoleApplication, allowUnsafe: true));
    }

    public IReadOnlyList<SyntaxTree> Trees { get; }

    public CSharpCompilation Compilation { get; }

    /// <summary>The C# files that people wrote.</summary>
    public static IEnumerable<string> FilesIn(string folder) =>
        Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(folder, file).Split('/').Any(part => part is "bin" or "obj")).Order(StringComparer.Ordinal);

    public IEnumerable<ClassCount> Classes() =>
        from part in Trees.SelectMany(tree => tree.GetRoot().DescendantNodes().OfType<ClassDeclarationSyntax>())
        let symbol = Compilation.GetSemanticModel(part.SyntaxTree).GetDeclaredSymbol(part)!
        group part by symbol.ToDisplayString() into parts
        select new ClassCount(parts.Key, parts.Sum(FieldsOf), parts.Sum(LinesOf), parts.Count());

    /// <summary>Numbers and time spans declared as constants, of each file that steers.</summary>
    public IEnumerable<(string File, int Constants)> SteeringConstants() =>
        from tree in Trees
        let name = Path.GetFileNameWithoutExtension(tree.FilePath)
        where Steering.Contains(name)
        let constants = ConstantsOf(tree)
        where constants > 0
        select (name, constants);

    /// <summary>All of them.</summary>
    public int Constants() => Trees.Sum(ConstantsOf);

    private static int FieldsOf(ClassDeclarationSyntax part)
    {
        int fields = part.Members.OfType<FieldDeclarationSyntax>()
            .Where(field => !field.Modifiers.Any(SyntaxKind.StaticKeyword) && !field.Modifiers.Any(SyntaxKind.ConstKeyword))
            .Sum(field => field.Declaration.Variables.Count);
        int stored = part.Members.OfType<PropertyDeclarationSyntax>()
            .Count(property => !property.Modifiers.Any(SyntaxKind.StaticKeyword) && !property.Modifiers.Any(SyntaxKind.AbstractKeyword)
                && property.AccessorList?.Accessors.All(accessor => accessor.Body is null && accessor.ExpressionBody is null) == true);
        return fields + stored + (part.ParameterList?.Parameters.Count ?? 0);
    }

    private static int LinesOf(SyntaxNode node)
    {
        FileLinePositionSpan span = node.GetLocation().GetLineSpan();
        return span.EndLinePosition.Line - span.StartLinePosition.Line + 1;
    }

    private static int ConstantsOf(SyntaxTree tree) => tree.GetRoot().DescendantNodes().OfType<FieldDeclarationSyntax>().Sum(field =>
    {
        bool isConstant = field.Modifiers.Any(SyntaxKind.ConstKeyword)
            || (field.Modifiers.Any(SyntaxKind.StaticKeyword) && field.Modifiers.Any(SyntaxKind.ReadOnlyKeyword));
        return isConstant && field.Declaration.Type.ToString() is "int" or "uint" or "long" or "ulong" or "double" or "float" or "TimeSpan"
            ? field.Declaration.Variables.Count
            : 0;
    });
}
