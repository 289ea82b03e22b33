using EdgeBroker.Core.Hosting;
using EdgeBroker.Http;
using EdgeBroker.Mqtt;

namespace EdgeBroker.Hosting.Listeners;

/// <summary>
/// Changes the listeners of a running broker: first everything that can fail - addresses are bound, files are read -, then what cannot. In between nobody
/// notices anything, but that where an address changes hands, the listener that goes has given it free for a moment.
/// </summary>
/// <param name="running">The listeners as they are.</param>
/// <param name="plan">What to do.</param>
/// <param name="lost">Told when a listener that gave its address free could not have it back.</param>
internal sealed class ListenerChange(ListenerPart running, ListenerPlan plan, Action<string, string> lost) : IPreparedChange
{
    private readonly List<IServedListener> _opened = [];
    private readonly List<IServedListener> _suspended = [];
    private readonly List<(WebListenerChange Change, WebListener Listener, WebListenerOptions Options)> _changes = [];
    private bool _isWebNew;
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
        running.Web?.ApplyLimits();
        foreach (IServedListener listener in _opened)
        {
            await listener.BeginAsync().ConfigureAwait(false);
            notes.Add($"{Printable.Escape(listener.Name)}: a new listener");
        }

        foreach ((MqttListener listener, ListenerOptions options) in plan.Plains) Change(listener, options, notes);
        foreach ((WebListenerChange change, WebListener listener, WebListenerOptions options) in _changes) Change(change, listener, options, notes);
        foreach (IServedListener listener in plan.Removed)
        {
            await listener.RemoveAsync().ConfigureAwait(false);
            notes.Add($"{Printable.Escape(listener.Name)}: removed, and its clients disconnected");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isApplied) return;
        foreach (IServedListener opened in _opened) await opened.AbandonAsync().ConfigureAwait(false);
        foreach (IServedListener listener in _suspended) await ResumeAsync(listener).ConfigureAwait(false);
        foreach ((WebListenerChange change, _, _) in _changes) change.Dispose();
        if (_isWebNew) await running.CloseWebAsync().ConfigureAwait(false);
    }

    private static void Change(MqttListener listener, ListenerOptions options, ChangeNotes notes)
    {
        if (listener.Options == options) return;
        if (listener.Options.AllowAnonymous != options.AllowAnonymous) notes.RequireReview();
        listener.Apply(options);
        notes.Add($"{Printable.Escape(listener.Name)}: other settings");
    }

    private static void Change(WebListenerChange change, WebListener listener, WebListenerOptions options, ChangeNotes notes)
    {
        bool isOther = !listener.Options.IsSameAs(options);
        if (listener.Options.AllowAnonymous != options.AllowAnonymous) notes.RequireReview();
        bool hasOtherCertificates = change.Apply();
        if (isOther) notes.Add($"{Printable.Escape(listener.Name)}: other settings");
        if (hasOtherCertificates) notes.Add($"{Printable.Escape(listener.Name)}: other certificate files, for new connections");
    }

    private async Task<string?> ReadFilesAsync()
    {
        foreach ((WebListener listener, WebListenerOptions options) in plan.Webs)
        {
            if (await ListenerPart.TryAsync(() => Read(listener, options), options.Address).ConfigureAwait(false) is { } problem) return problem;
        }

        return null;
    }

    private Task Read(WebListener listener, WebListenerOptions options)
    {
        _changes.Add((listener.Prepare(options), listener, options));
        return Task.CompletedTask;
    }

    private async Task<string?> OpenAsync()
    {
        var opens = new List<(string Address, Func<Task> Open)>();
        foreach (ListenerOptions options in plan.AddedPlains) opens.Add((options.Address, () => OpenPlain(options)));
        foreach (WebListenerOptions options in plan.AddedWebs) opens.Add((options.Address, () => OpenWebAsync(options)));
        if (await OpenAsync(opens).ConfigureAwait(false) is null) return null;
        // Perhaps one that goes is in the way.
        foreach (IServedListener listener in plan.Removed)
        {
            await listener.SuspendAsync().ConfigureAwait(false);
            _suspended.Add(listener);
        }

        return await OpenAsync(opens).ConfigureAwait(false);
    }

    /// <summary>Opens what is not open yet; what has succeeded leaves the list.</summary>
    private static async Task<string?> OpenAsync(List<(string Address, Func<Task> Open)> opens)
    {
        string? first = null;
        foreach ((string Address, Func<Task> Open) one in opens.ToArray())
        {
            string? problem = await ListenerPart.TryAsync(one.Open, one.Address).ConfigureAwait(false);
            if (problem is null) opens.Remove(one);
            first ??= problem;
        }

        return first;
    }

    private Task OpenPlain(ListenerOptions options)
    {
        _opened.Add(running.Plain.Open(options));
        return Task.CompletedTask;
    }

    private async Task OpenWebAsync(WebListenerOptions options)
    {
        _isWebNew |= running.Web is null;
        WebServer web = await running.OpenWebAsync().ConfigureAwait(false);
        _opened.Add(await web.OpenAsync(options).ConfigureAwait(false));
    }

    private async Task ResumeAsync(IServedListener listener)
    {
        if (await ListenerPart.TryAsync(listener.ResumeAsync, listener.Name).ConfigureAwait(false) is { } problem) lost(listener.Name, problem);
    }
}
