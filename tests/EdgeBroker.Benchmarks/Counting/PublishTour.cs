using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EdgeBroker.Benchmarks.Counting;

/// <summary>
/// The way of a QoS 0 PUBLISH as a text tells it: the first numbered list below "Follow one PUBLISH", with files and the methods behind them.
/// </summary>
internal sealed partial class PublishTour
{
    private readonly ProductSource _source;
    private readonly SortedSet<string> _types = new(StringComparer.Ordinal);
    private readonly HashSet<SyntaxTree> _filesOfTypes = [];
    private readonly HashSet<SyntaxTree> _files = [];

    private PublishTour(ProductSource source) => _source = source;

    public IReadOnlyCollection<SyntaxTree> Files => _files;

    public int Lines => _files.Sum(file => file.GetText().Lines.Count - 1);

    /// <summary>Lines of all files in which the types stand.</summary>
    public int LinesOfTypes => _filesOfTypes.Sum(file => file.GetText().Lines.Count - 1);

    /// <summary>Types of the product that its methods name, or whose members they use; enumerations are none.</summary>
    public IReadOnlyCollection<string> Types => _types;

    /// <summary>Follows the tour of a text.</summary>
    /// <exception cref="InvalidDataException">It names what is not there.</exception>
    public static PublishTour Read(ProductSource source, string text)
    {
        var tour = new PublishTour(source);
        SyntaxTree? file = null;
        foreach (string name in Span().Matches(FirstList().Match(text).Groups["list"].Value).Select(match => match.Groups[1].Value))
        {
            if (name.EndsWith(".cs", StringComparison.Ordinal))
            {
                file = source.Trees.SingleOrDefault(tree => tree.FilePath.EndsWith("/EdgeBroker." + name, StringComparison.Ordinal))
                    ?? throw new InvalidDataException($"The tour names {name}, which is not there.");
                tour._files.Add(file);
                continue;
            }

            MethodDeclarationSyntax[] methods =
            [
                .. file?.GetRoot().DescendantNodes().OfType<MethodDeclarationSyntax>().Where(method => method.Identifier.Text == name) ?? [],
            ];
            if (methods.Length == 0) throw new InvalidDataException($"The tour names {name}, which is not in the file named before.");
            foreach (MethodDeclarationSyntax method in methods) tour.Follow(source.Compilation.GetSemanticModel(method.SyntaxTree).GetDeclaredSymbol(method)!);
        }

        return tour;
    }

    private void Follow(ISymbol member)
    {
        Meet(member.ContainingType);
        foreach (SyntaxNode body in member.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax()))
        {
            SemanticModel model = _source.Compilation.GetSemanticModel(body.SyntaxTree);
            foreach (SimpleNameSyntax name in body.DescendantNodes().OfType<SimpleNameSyntax>())
            {
                ISymbol? used = model.GetSymbolInfo(name).Symbol;
                if (used is INamedTypeSymbol type) Meet(type);
                if (used is not (IMethodSymbol or IPropertySymbol or IFieldSymbol) || used.ContainingType is not { } owner) continue;
                if (used is IFieldSymbol { IsConst: true }) continue;
                Meet(owner);
            }
        }
    }

    private void Meet(INamedTypeSymbol? type)
    {
        if (type is null || type.TypeKind == TypeKind.Enum || !SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, _source.Compilation.Assembly))
        {
            return;
        }

        if (type.Name.EndsWith("Exception", StringComparison.Ordinal)) return;
        _types.Add(type.Name);
        _filesOfTypes.UnionWith(type.DeclaringSyntaxReferences.Select(reference => reference.SyntaxTree));
    }

    // An item may go on over several lines; the list ends with an empty one.
    [GeneratedRegex(@"^### Follow one PUBLISH\n(?:(?!\d+\. ).*\n)*(?<list>(?:.+\n)+)", RegexOptions.Multiline)]
    private static partial Regex FirstList();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Span();
}
