using EdgeBroker.Core.Limits;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>A rate with its burst and, for rates of clients, what becomes of the excess. Null: no limit.</summary>
internal sealed class RateLimitKind : ValueKind<RateLimit?>
{
    private readonly TableSchema<RateDraft> _schema;
    private readonly ExceedAction? _onExceed;

    /// <param name="key">The key, for errors about what is in it.</param>
    /// <param name="onExceed">What becomes of the excess by default; null: there is no choice.</param>
    /// <param name="ofBytes">Whether bytes are counted.</param>
    public RateLimitKind(string key, ExceedAction? onExceed = null, bool ofBytes = false)
        : base($"{{ rate = \"{(ofBytes ? "1MB/s" : "100/m")}\", burst = {(ofBytes ? "\"256KB\"" : "20")}{(onExceed is null ? "" : ", on_exceed = \"delay\"")} }}")
    {
        _onExceed = onExceed;
        _schema = new TableSchema<RateDraft>($"[limits.{key}]").Key("rate", new RateKind(ofBytes), (o, v) => o with { Rate = v }, required: true);
        if (ofBytes) _schema.Key("burst", new SizeKind(1, 64 * SizeKind.GB), (o, v) => o with { Burst = v });
        else _schema.Key("burst", new IntegerKind(1, 1_000_000_000), (o, v) => o with { Burst = v });
        if (onExceed is not null)
        {
            _schema.Key("on_exceed", new ChoiceKind<ExceedAction>(("delay", ExceedAction.Delay), ("drop", ExceedAction.Drop), ("disconnect", ExceedAction.Disconnect)), (o, v) => o with { OnExceed = v });
        }
    }

    public override bool TryRead(TomlEntry entry, BindContext context, out RateLimit? value)
    {
        value = null;
        if (entry.Node is not TomlTable table)
        {
            Reject(entry, null, null, context);
            return false;
        }

        value = _schema.Bind(table, new RateDraft(_onExceed ?? default), context).Limit;
        return true;
    }

    protected override bool TryRead(ValueSyntax syntax, string? text, out RateLimit? value, ref string? hint) => throw new NotSupportedException();
}
