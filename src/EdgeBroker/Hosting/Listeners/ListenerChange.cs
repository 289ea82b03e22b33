using EdgeBroker.Core.Hosting;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Hosting.Listeners;

/// <summary>
/// Changes the listeners of a running broker: first everything that can fail - addresses are bound, files are read -, then what cannot. In between nobody
/// notices anything, but that where an address changes hands, the listener that goes has given it free for a moment.
/// </summary>
/// <param name="part">The listeners as they are.</param>
/// <param name="plan">What to do.</param>
/// <param name="lost">Told when a listener that gave its address free could not have it back.</param>
internal sealed class ListenerChange(ListenerPart part, ListenerPlan plan, Action<string, string> lost) : IPreparedChange
{
    private readonly List<IListener> _opened = [];
    private readonly List<IListener> _suspended = [];
    private readonly List<(IListenerChange Change, IListener Listener, ListenerSettings Settings)> _changes = [];
    private bool _isApplied;

    /// <summary>Does what can fail.</summary>
    /// <returns>Why it cannot be done, in which case everything is as before; null: it can.</returns>
    public async Task<string?> PrepareAsync()
    {
        string? problem = await ReadFilesAsync().ConfigureAwait(false) ?? await OpenAsync().ConfigureAwait(false);
        if (problem is not null) await DisposeAsync().ConfigureAwait(false);
        return problem;
    }

    /// <inheritdoc/>
    public async ValueTask ApplyAsync(ChangeNotes notes)
    {
        _isApplied = true;
        part.ApplyLimits();
        foreach (IListener listener in _opened)
        {
            await listener.BeginAsync().ConfigureAwait(false);
            notes.Add($"{NameOf(listener)}: a new listener");
        }

        foreach ((IListenerChange change, IListener listener, ListenerSettings settings) in _changes) Change(change, listener, settings, notes);
        foreach (IListener listener in plan.Removed)
        {
            await listener.RemoveAsync().ConfigureAwait(false);
            notes.Add($"{NameOf(listener)}: removed, and its clients disconnected");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isApplied) return;
        foreach (IListener opened in _opened) await opened.AbandonAsync().ConfigureAwait(false);
        foreach (IListener listener in _suspended) await ResumeAsync(listener).ConfigureAwait(false);
        foreach ((IListenerChange change, _, _) in _changes) change.Dispose();
    }

    private static string NameOf(IListener listener) => Printable.Escape(listener.Settings.Name);

    private static void Change(IListenerChange change, IListener listener, ListenerSettings settings, ChangeNotes notes)
    {
        bool isOther = !listener.Settings.IsSameAs(settings);
        if (listener.Settings.AllowAnonymous != settings.AllowAnonymous) notes.RequireReview();
        bool hasOtherCertificates = change.Apply();
        if (isOther) notes.Add($"{NameOf(listener)}: other settings");
        if (hasOtherCertificates) notes.Add($"{NameOf(listener)}: other certificate files, for new connections");
    }

    private async Task<string?> ReadFilesAsync()
    {
        foreach ((IListener listener, ListenerSettings settings) in plan.Kept)
        {
            if (await ListenerPart.TryAsync(() => Read(listener, settings), settings.Address).ConfigureAwait(false) is { } problem) return problem;
        }

        return null;
    }

    private Task Read(IListener listener, ListenerSettings settings)
    {
        _changes.Add((listener.Prepare(settings), listener, settings));
        return Task.CompletedTask;
    }

    private async Task<string?> OpenAsync()
    {
        var toOpen = new List<ListenerSettings>(plan.Added);
        if (await OpenAsync(toOpen).ConfigureAwait(false) is null) return null;
        // Perhaps one that goes is in the way.
        foreach (IListener listener in plan.Removed)
        {
            await listener.SuspendAsync().ConfigureAwait(false);
            _suspended.Add(listener);
        }

        return await OpenAsync(toOpen).ConfigureAwait(false);
    }

    /// <summary>Opens what is not open yet; what has succeeded leaves the list.</summary>
    private async Task<string?> OpenAsync(List<ListenerSettings> toOpen)
    {
        string? first = null;
        foreach (ListenerSettings settings in toOpen.ToArray())
        {
            string? problem = await ListenerPart.TryAsync(() => OpenAsync(settings), settings.Address).ConfigureAwait(false);
            if (problem is null) toOpen.Remove(settings);
            first ??= problem;
        }

        return first;
    }

    private async Task OpenAsync(ListenerSettings settings) => _opened.Add(await part.OpenAsync(settings).ConfigureAwait(false));

    private async Task ResumeAsync(IListener listener)
    {
        if (await ListenerPart.TryAsync(listener.ResumeAsync, listener.Settings.Name).ConfigureAwait(false) is { } problem)
        {
            lost(listener.Settings.Name, problem);
        }
    }
}
